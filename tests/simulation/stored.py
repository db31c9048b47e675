"""Rows of the store, read into the auditor's form and into peaks by the pipeline's own rules."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from pipeline.model.evidence import SessionDay, SessionKey
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.pool.counting import slot_counts
from pipeline.rules.pool.reading import Judgement
from tests.simulation.knowledge import Fact, Session
from tests.simulation.store import Row, StoreModel

POLICIES: Final = ("bentley-select", "bentley-select-deployed")
_FROM_AT: Final = 1_640_995_200_000  # 2022-01-01, when both policies have had their last row for years
_UNTIL_AT: Final = 1_672_531_200_000
_SESSION: Final = ("account", "product", "country", "usage", "machine", "user", "session")


def session_of_row(row: Row) -> Session:
    return tuple(row[name] for name in _SESSION)


def day_of_row(row: Row) -> tuple[tuple[Session, int], Fact]:
    fact = Fact(
        row["opened_at"], row["last_at"], row["used_slots"], row["stretches"], row["version"],
        row["received_min_at"], row["received_max_at"],
    )  # fmt: skip
    return (session_of_row(row), row["day"]), fact


def peaks_by_rules(store: StoreModel, policy: str) -> dict[tuple[str, str, str], int]:
    """The peaks of stored usage, per account, product and country, counted by ``pipeline.rules``."""
    days: defaultdict[str, list[SessionDay]] = defaultdict(list)
    for row in store.tables["usage_days"].values():
        days[row["account"]].append(_session_day(row))
    return {
        (account, *pool): max(counts.values())
        for account, used in days.items()
        for pool, counts in slot_counts(sessions(used), _judgements(used, policy)).items()
    }


def _session_day(row: Row) -> SessionDay:
    return SessionDay(
        session=SessionKey._make(row[name] for name in _SESSION),
        day=row["day"],
        opened_at=row["opened_at"],
        last_at=row["last_at"],
        used_slots=sum(1 << slot for slot in row["used_slots"]),
        stretches=row["stretches"],
        version=row["version"],
        received_min_at=row["received_min_at"],
        received_max_at=row["received_max_at"],
    )


def _judgements(used: list[SessionDay], policy: str) -> dict[tuple[str, str], list[Judgement]]:
    in_force = metering_catalogue()[policy].at(_FROM_AT)
    pools = {(day.session.product, day.session.country) for day in used}
    return {pool: [Judgement(*pool, *pool, _FROM_AT, _UNTIL_AT, in_force)] for pool in sorted(pools)}
