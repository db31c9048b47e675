"""How the use of a session is judged, remembered by reported code, country and quarter: the same is asked often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pipeline.model.evidence import SessionKey
from pipeline.model.instants import DAY_MS, Period
from pipeline.policy.timeline import BeforeFirstRow
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.pool.reading import Judgement


class Judging(Protocol):
    """How use of a code is judged over a period, as ``ContractReading`` says it."""

    def judgements(self, code: str, reported_country: str, period: Period) -> tuple[Judgement, ...]:
        """As ``ContractReading.judgements``."""


class JudgementCache:
    """The judgements of a contract. Where a policy says nothing of a quarter there are none, and nothing counts."""

    def __init__(self, judging: Judging) -> None:
        self._judging = judging
        self._judgements: dict[tuple[str, str, str], tuple[Judgement, ...]] = {}

    def at(self, key: SessionKey, at: int) -> Judgement | None:
        """The judgement of a session's use at an instant."""
        judgements = self.in_quarter(key, Period.containing(at))
        return next((judgement for judgement in judgements if judgement.from_at <= at < judgement.until_at), None)

    def over(self, session: Session) -> Iterator[Judgement]:
        """The judgements from a session's first used day to a day after its last evidence."""
        first_at, last_at = min(session.used_slots) * DAY_MS, session.last_at + DAY_MS
        for period in {Period.containing(at) for at in (first_at, session.last_at, last_at)}:
            yield from self.in_quarter(session.key, period)

    def in_quarter(self, key: SessionKey, period: Period) -> tuple[Judgement, ...]:
        """The judgements of a session's code and country over a quarter, in order of time."""
        asked = (key.product, key.country, period.name)
        if asked not in self._judgements:
            try:
                self._judgements[asked] = self._judging.judgements(key.product, key.country, period)
            except BeforeFirstRow:
                self._judgements[asked] = ()
        return self._judgements[asked]
