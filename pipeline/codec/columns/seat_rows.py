"""Seat rows: what live counts keep of usage rows, about 120 bytes each beside the names.

Stretches, versions and times of receipt are left out: no count of seats needs them. A close that comes without evidence
lies on the day on which it was, in a row that is neutral in every merge (``NO_EVIDENCE``). So it merges into the
evidence of that day, and costs a row of its own only where there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.codec.columns.usage_rows import KEY, NO_DAY, USAGE_ROWS
from pipeline.model.evidence import SessionClose, SessionDay, SessionKey
from pipeline.model.instants import DAY_MS

SEAT_ROWS: Final = pa.schema(
    [USAGE_ROWS.field(name) for name in (*KEY, "opened_at", "last_at", "used_slots", "closed_at")]
)
"""As ``USAGE_ROWS``. ``last_at`` is 0 in a row without evidence."""
NO_EVIDENCE: Final = (2**63 - 1, 0)
"""``opened_at`` and ``last_at`` of a row that holds a close only."""


def seat_rows(rows: pa.Table) -> pa.Table:
    """The seat rows of usage rows, not folded."""
    rows = rows.select(SEAT_ROWS.names)
    is_bare = pc.equal(rows["day"], NO_DAY)
    if not pc.any(is_bare).as_py():
        return rows
    closed_on = pc.divide(rows["closed_at"], DAY_MS).cast(pa.int32())
    for name, value in (("day", closed_on), ("opened_at", NO_EVIDENCE[0]), ("last_at", NO_EVIDENCE[1])):
        place = SEAT_ROWS.get_field_index(name)
        rows = rows.set_column(place, SEAT_ROWS.field(name), pc.if_else(is_bare, value, rows[name]))
    return rows


def of_latest_days(rows: pa.Table, days: int) -> pa.Table:
    """The rows and closes on the last ``days`` UTC days up to the latest evidence of their account."""
    if not rows.num_rows:
        return rows
    [batch] = rows.unify_dictionaries().combine_chunks().to_batches()
    accounts, on_days = np.asarray(batch["account"].indices), np.asarray(batch["day"])
    latest_on = np.zeros(len(batch["account"].dictionary), np.int64)
    np.maximum.at(latest_on, accounts, np.minimum(np.asarray(batch["last_at"]) // DAY_MS, on_days))
    first_day = (latest_on - days + 1)[accounts]
    kept = (on_days >= first_day) | (np.asarray(batch["closed_at"]) // DAY_MS >= first_day)
    return rows if kept.all() else rows.filter(pa.array(kept))


def evidence_of(rows: pa.Table) -> Iterator[SessionDay | SessionClose]:
    """Seat rows as objects."""
    columns = (column.to_pylist() for column in rows.columns)
    for *key, day, opened_at, last_at, used_slots, closed_at in zip(*columns, strict=True):
        session = SessionKey._make(key)
        if last_at:
            yield SessionDay(session, day, opened_at, last_at, int.from_bytes(used_slots, "little"), {}, "", 0, 0)
        if closed_at:
            yield SessionClose(session, closed_at)
