"""Session days as columns: rows made of heartbeats, and rows folded by key (RULES 1): the second half of the hot path.

The algebra is that of ``rules/evidence/merge.py``: minimum, maximum and union, nothing else; a property holds the two
equal. The meter folds the rows of its heartbeats, and the sink folds the rows of meters, by the same function.

A **usage row** says of a session on a UTC day what some evidence says of it. A row without a day (``NO_DAY``) carries
nothing but a close. ``closed_at`` is 0 where no close was heard.

Sorting is Arrow's ``group_by`` over the key, which takes 0.1 to 0.25 us a row; from then on every group is a range of
rows, and each aggregate a ``reduceat``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.codec.columns.column_checks import Int64s, Mask
from pipeline.codec.columns.distinct import Kind, Numbers
from pipeline.codec.columns.heartbeat_columns import HeartbeatColumns
from pipeline.model.evidence import SessionClose, SessionDay, SessionKey
from pipeline.model.instants import BASE_SLOT_MS, SLOTS_PER_DAY

NO_DAY: Final = -1
SLOT_WORDS: Final = 3
"""64-bit words in the bit set of a day's slots: little-endian, the lowest bit of the first word is slot 0."""
SLOT_BYTES: Final = 8 * SLOT_WORDS
_WORDS: Final = pa.dictionary(pa.int32(), pa.string())
USAGE_ROWS: Final = pa.schema(
    {
        "account": _WORDS, "product": _WORDS, "country": _WORDS, "usage": _WORDS,
        "machine": pa.string(), "user": pa.string(), "session": pa.string(), "day": pa.int32(),
        "opened_at": pa.int64(), "last_at": pa.int64(), "used_slots": pa.binary(SLOT_BYTES),
        "stretches": pa.map_(pa.int64(), pa.int64()), "version": _WORDS,
        "received_min_at": pa.int64(), "received_max_at": pa.int64(), "closed_at": pa.int64(),
    }
)  # fmt: skip
"""``day`` counts days since 1970-01-01; ``used_slots`` is a bit set of ``SLOT_WORDS``; times are epoch ms."""
KEY: Final = ("account", "product", "country", "usage", "machine", "user", "session", "day")

Words = NDArray[np.uint64]
_PREFIXES: Final[Words] = np.packbits(
    np.tri(SLOTS_PER_DAY + 1, 64 * SLOT_WORDS, -1, dtype=np.bool_), axis=1, bitorder="little"
).view(np.uint64)
"""The bit set of the first *n* slots of a day."""


def rows_of(
    columns: Sequence[HeartbeatColumns], accounts: Sequence[str], kinds: Sequence[Kind], received_at: Int64s
) -> pa.Table:
    """Usage rows of heartbeats, not folded: a row for each UTC day of each. ``received_at`` is by source."""
    if not columns:
        return USAGE_ROWS.empty_table()
    sources, of_accounts, of_kinds = (np.concatenate(parts) for parts in list(zip(*columns, strict=True))[:3])
    names = [pa.concat_arrays(parts) for parts in zip(*(each.names for each in columns), strict=True)]
    times = [np.concatenate(parts) for parts in zip(*(each.times for each in columns), strict=True)]
    opened_at, since, at, resumed_at, active_at = times
    is_close = np.array([kind.is_close for kind in kinds])[of_kinds]
    is_bare = is_close & (since == at)
    first = since // BASE_SLOT_MS
    last = np.where(is_bare, first, (at - is_close) // BASE_SLOT_MS)
    days, last_days = first // SLOTS_PER_DAY, last // SLOTS_PER_DAY
    rows: Int64s | slice = slice(None)
    if (days != last_days).any():
        lengths = last_days - days + 1
        rows = np.repeat(np.arange(len(days)), lengths)
        days = days[rows] + np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    midnights = days * SLOTS_PER_DAY
    first_slots = np.maximum(first[rows] - midnights, 0)
    last_slots = np.minimum(last[rows] - midnights, SLOTS_PER_DAY - 1)
    slots = _PREFIXES[np.where(is_bare[rows], first_slots, last_slots + 1)] ^ _PREFIXES[first_slots]
    has_stretch = (days == last_days[rows]) & ~is_bare[rows]
    stretches = _stretches(has_stretch, resumed_at[rows][has_stretch], active_at[rows][has_stretch])
    received = received_at[sources[rows]]
    words = {name: _words([getattr(kind, name) for kind in kinds], of_kinds[rows]) for name in Kind._fields[:4]}
    machines, users, sessions = names if isinstance(rows, slice) else (texts.take(pa.array(rows)) for texts in names)
    return pa.table(
        [
            pa.DictionaryArray.from_arrays(of_accounts[rows], pa.array(accounts, pa.string())),
            words["product"], words["country"], words["usage"], machines, users, sessions,
            np.where(is_bare[rows], NO_DAY, days).astype(np.int32), opened_at[rows], at[rows], _bit_sets(slots),
            stretches, words["version"], received, received, np.where(is_close, at, 0)[rows],
        ],
        schema=USAGE_ROWS,
    )  # fmt: skip


def folded(rows: pa.Table) -> pa.Table:
    """The same rows, those of a session and day merged: minimum, maximum and union.

    ``rows`` have the columns of ``KEY`` and any others of ``USAGE_ROWS``.
    """
    if not rows.num_rows:
        return rows
    [batch] = rows.unify_dictionaries().combine_chunks().to_batches()
    keys = {name: batch[name].indices if batch[name].type == _WORDS else batch[name] for name in KEY}
    keys["row"] = pa.array(np.arange(len(batch), dtype=np.int32))
    groups = pa.table(keys).group_by([*KEY], use_threads=False).aggregate([("row", "list")])["row_list"]
    if len(groups) == len(batch):
        return pa.table(batch)
    groups = groups.combine_chunks()
    order, starts = np.asarray(groups.flatten()), np.asarray(groups.offsets)[:-1]
    merged = batch.take(pa.array(order[starts]))
    columns = {name: fold(batch[name], order, starts) for name, fold in _FOLDS.items() if name in batch.schema.names}
    return pa.table([columns.get(name, merged[name]) for name in batch.schema.names], schema=batch.schema)


def _earliest(column: pa.Array, order: Numbers, starts: Numbers) -> Int64s:
    return np.minimum.reduceat(np.asarray(column)[order], starts)


def _latest(column: pa.Array, order: Numbers, starts: Numbers) -> Int64s:
    return np.maximum.reduceat(np.asarray(column)[order], starts)


def _united_slots(used_slots: pa.FixedSizeBinaryArray, order: Numbers, starts: Numbers) -> pa.FixedSizeBinaryArray:
    return _bit_sets(np.bitwise_or.reduceat(bits(used_slots)[order], starts, axis=0))


def _latest_versions(versions: pa.DictionaryArray, order: Numbers, starts: Numbers) -> pa.DictionaryArray:
    """The largest text of each group."""
    texts = versions.dictionary.to_pylist()
    by_text = sorted(range(len(texts)), key=texts.__getitem__)
    ranks = np.empty(len(texts), np.int32)
    ranks[by_text] = np.arange(len(texts))
    latest = np.maximum.reduceat(ranks[np.asarray(versions.indices)][order], starts)
    return pa.DictionaryArray.from_arrays(latest, versions.dictionary.take(pa.array(by_text)))


def _stretches(has_stretch: Mask, resumed_at: Int64s, active_at: Int64s) -> pa.MapArray:
    """A map for each row: of one stretch, or empty."""
    offsets = np.concatenate(([0], np.cumsum(has_stretch))).astype(np.int32)
    return pa.MapArray.from_arrays(offsets, resumed_at, active_at)


def _merged_stretches(stretches: pa.MapArray, order: Numbers, starts: Numbers) -> pa.MapArray:
    """Of each group the latest end of every stretch. Mostly a group knows a single stretch."""
    stretches = stretches.take(pa.array(order))
    offsets = np.asarray(stretches.offsets)
    ends = offsets[np.append(starts[1:], len(order))]
    counts = ends - offsets[starts]
    groups = np.repeat(np.arange(len(starts)), counts)
    resumed_at, active_at = np.asarray(stretches.keys), np.asarray(stretches.items)
    resumed_at, active_at = _in_order(groups, resumed_at, active_at)
    is_last = np.ones(len(groups), np.bool_)
    is_last[:-1] = (groups[1:] != groups[:-1]) | (resumed_at[1:] != resumed_at[:-1])
    kept = np.bincount(groups[is_last], minlength=len(starts))
    return pa.MapArray.from_arrays(
        np.concatenate(([0], np.cumsum(kept))).astype(np.int32), resumed_at[is_last], active_at[is_last]
    )


_FOLDS: Final = {
    "opened_at": _earliest, "last_at": _latest, "used_slots": _united_slots, "stretches": _merged_stretches,
    "version": _latest_versions, "received_min_at": _earliest, "received_max_at": _latest, "closed_at": _latest,
}  # fmt: skip
"""How the rows of a session and day merge: columns, the order that brings groups together, and where each begins."""


def _in_order(groups: Int64s, resumed_at: Int64s, active_at: Int64s) -> tuple[Int64s, Int64s]:
    """The stretches of each group by beginning and end. Few came in another order: only their groups are sorted."""
    is_later = (resumed_at[1:] > resumed_at[:-1]) | (
        (resumed_at[1:] == resumed_at[:-1]) & (active_at[1:] >= active_at[:-1])
    )
    unordered = groups[1:][~is_later & (groups[1:] == groups[:-1])]
    if not len(unordered):
        return resumed_at, active_at
    is_unordered = np.zeros(groups[-1] + 1, np.bool_)
    is_unordered[unordered] = True
    places = np.flatnonzero(is_unordered[groups])
    order = places[np.lexsort((active_at[places], resumed_at[places], groups[places]))]
    resumed_at, active_at = resumed_at.copy(), active_at.copy()
    resumed_at[places], active_at[places] = resumed_at[order], active_at[order]
    return resumed_at, active_at


def _words(texts: Sequence[str], numbers: Numbers) -> pa.DictionaryArray:
    """A column of few distinct texts; ``numbers`` say which of ``texts`` stands in each row."""
    distinct = pa.array(texts, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(np.asarray(distinct.indices)[numbers], distinct.dictionary)


def _bit_sets(words: Words) -> pa.FixedSizeBinaryArray:
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(SLOT_BYTES), len(words), [None, pa.py_buffer(words)])


def map_lengths(maps: pa.ChunkedArray) -> Numbers:
    """How many entries each map of a column has."""
    lengths = [np.diff(np.asarray(chunk.offsets)) for chunk in maps.chunks]
    return np.concatenate(lengths or [np.zeros(0, np.int32)])


def bits(bit_sets: pa.FixedSizeBinaryArray) -> Words:
    """The words of bit sets, a row each."""
    content = np.frombuffer(bit_sets.buffers()[1], np.uint64).reshape(-1, SLOT_WORDS)
    return content[bit_sets.offset : bit_sets.offset + len(bit_sets)]


def of_accounts(rows: pa.Table, accounts: Iterable[str]) -> pa.Table:
    """The rows of some accounts."""
    return rows.filter(pc.is_in(rows["account"], pa.array([*accounts], pa.string())))


def session_days(rows: pa.Table) -> Iterator[SessionDay]:
    """The rows that carry evidence, as objects."""
    for row in _keyed(rows.filter(pc.not_equal(rows["day"], NO_DAY))):
        session, values = row
        yield SessionDay(
            session,
            values["day"],
            values["opened_at"],
            values["last_at"],
            int.from_bytes(values["used_slots"], "little"),
            dict(values["stretches"]),
            values["version"],
            values["received_min_at"],
            values["received_max_at"],
        )


def closes(rows: pa.Table) -> Iterator[SessionClose]:
    """The closes that rows carry."""
    for session, values in _keyed(rows.filter(pc.greater(rows["closed_at"], 0))):
        yield SessionClose(session, values["closed_at"])


def _keyed(rows: pa.Table) -> Iterator[tuple[SessionKey, dict[str, Any]]]:
    for batch in rows.to_batches():
        columns = batch.to_pydict()
        for values in zip(*columns.values(), strict=True):
            yield SessionKey(*values[:7]), dict(zip(columns, values, strict=True))


def rows_of_days(days: Iterable[SessionDay], closed: Iterable[SessionClose]) -> pa.Table:
    """Usage rows of objects: of days, and of closes without a day."""
    rows = [
        (
            *day.session, day.day, day.opened_at, day.last_at, day.used_slots.to_bytes(SLOT_BYTES, "little"),
            [*day.stretches.items()], day.version, day.received_min_at, day.received_max_at, 0,
        )
        for day in days
    ]  # fmt: skip
    rows += [(*session, NO_DAY, 0, 0, bytes(SLOT_BYTES), [], "", 0, 0, at) for session, at in closed]
    columns = list(zip(*rows, strict=True)) or [()] * len(USAGE_ROWS)
    return pa.table([pa.array(*pair) for pair in zip(columns, USAGE_ROWS.types, strict=True)], schema=USAGE_ROWS)
