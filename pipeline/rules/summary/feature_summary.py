"""What each feature of a log was used for, without a contract: peak, time at the peak, users, hours, denials.

The peak is that of the ten-minute rule that ``bentley-select`` has had since 2016 (RULES 2 and 3), whatever the date of
the use: the most published of the rules for pools, and one that lets sessions that follow one another count once. Only
production use is summed up.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pipeline.model.instants import EARLIEST_AT, LATEST_AT
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.evidence.lengths import open_ms, union_ms
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.evidence.true_denials import CheckoutTimes
from pipeline.rules.pool.counting import slot_counts
from pipeline.rules.pool.reading import Judgement

ANY_COUNTRY: Final = ""


class LicenseRequest(NamedTuple):
    """A request that a licence server refused or put off; the user is folded."""

    kind: str
    feature: str
    user: str
    at: int


@dataclass(frozen=True, slots=True)
class FeatureSummary:
    """A feature's use in a span of time.

    ``slots_at_peak`` of the ``slots_counted`` slots in which the feature counted at all hold the peak. ``open_ms`` is
    how long a session was open, summed over machines: sessions at once on a machine are open once. ``sessions`` were
    opened in the span, ``brief_sessions`` of them were open for less than the policy's minimum. ``true_denials`` is
    ``None`` where the evidence tells no denials.
    """

    feature: str
    peak: int
    peak_at: int | None
    slots_at_peak: int
    slots_counted: int
    users: int
    open_ms: int
    sessions: int
    brief_sessions: int
    true_denials: int | None


@dataclass(slots=True)
class _Tally:
    users: set[str] = field(default_factory=set)
    open_on: dict[str, array[int]] = field(default_factory=dict)
    """By machine, beginnings and ends in turn."""
    sessions: int = 0
    brief: int = 0
    true_denials: int = 0

    def add(self, session: Session, from_at: int, until_at: int, min_use_ms: int) -> None:
        self.users.add(session.key.user)
        spans = self.open_on.get(session.key.machine)
        if spans is None:
            spans = self.open_on[session.key.machine] = array("q")
        spans.extend((max(session.opened_at, from_at), min(session.last_at, until_at)))
        if from_at <= session.opened_at < until_at:
            self.sessions += 1
            self.brief += open_ms(session) < min_use_ms


def summarize_features(
    sessions: Iterable[Session],
    requests: Iterable[LicenseRequest] | None,
    policy: MeteringPolicy,
    *,
    from_at: int = EARLIEST_AT,
    until_at: int = LATEST_AT,
    product_of: Mapping[str, str] | None = None,
) -> list[FeatureSummary]:
    """The features with a session or a true denial in ``[from_at, until_at)``, by name.

    ``product_of`` names the features that are summed up under another name. ``requests`` are ``None`` where nobody
    logged them. Sessions are taken in any order, each once, and not kept.
    """
    reading = _Reading(policy, from_at, until_at, product_of or {})
    asked = [request for request in requests or () if from_at <= request.at < until_at]
    reading.asked_by = {(request.feature, request.user) for request in asked}
    counts = slot_counts(reading.counted(sessions), reading.judgements)
    checkouts = CheckoutTimes(reading.checkouts)
    for kind, feature, user, at in asked:
        if checkouts.is_true_denial(kind, feature, user, at):
            reading.tally_of(feature).true_denials += 1
    return [
        _summary(feature, tally, counts.get((feature, ANY_COUNTRY), {}), is_denial_logged=requests is not None)
        for feature, tally in sorted(reading.tallies.items())
    ]


class _Reading:
    """What is gathered while sessions go by."""

    def __init__(self, policy: MeteringPolicy, from_at: int, until_at: int, names: Mapping[str, str]) -> None:
        self._policy, self._from_at, self._until_at, self._names = policy, from_at, until_at, names
        self.tallies: dict[str, _Tally] = {}
        self.asked_by: set[tuple[str, str]] = set()
        self.checkouts: list[tuple[str, str, int]] = []
        """Of those who were refused something: feature, user, at."""
        self.judgements: dict[tuple[str, str], tuple[Judgement, ...]] = {}
        """Every country's use of a feature as use of one pool."""

    def tally_of(self, feature: str) -> _Tally:
        return self.tallies.setdefault(self._names.get(feature, feature), _Tally())

    def counted(self, sessions: Iterable[Session]) -> Iterator[Session]:
        """Production sessions in the span of time, tallied; each has its judgement when it is given out."""
        from_at, until_at, policy = self._from_at, self._until_at, self._policy
        for session in sessions:
            code, country, user = session.key.product, session.key.country, session.key.user
            if (code, user) in self.asked_by:
                self.checkouts.append((code, user, session.opened_at))
            is_in_span = session.opened_at < until_at and max(session.last_at, session.opened_at + 1) > from_at
            if not session.is_production or not is_in_span:
                continue
            self.tally_of(code).add(session, from_at, until_at, policy.min_use_ms)
            if (code, country) not in self.judgements:
                name = self._names.get(code, code)
                judgement = Judgement(code, country, name, ANY_COUNTRY, from_at, until_at, policy)
                self.judgements[code, country] = (judgement,)
            yield session


def _summary(feature: str, tally: _Tally, counts: Mapping[int, int], *, is_denial_logged: bool) -> FeatureSummary:
    peak = max(counts.values(), default=0)
    at_peak = [slot_at for slot_at, count in counts.items() if count == peak]
    return FeatureSummary(
        feature=feature,
        peak=peak,
        peak_at=min(at_peak, default=None),
        slots_at_peak=len(at_peak),
        slots_counted=len(counts),
        users=len(tally.users),
        open_ms=sum(union_ms(zip(spans[::2], spans[1::2], strict=True)) for spans in tally.open_on.values()),
        sessions=tally.sessions,
        brief_sessions=tally.brief,
        true_denials=tally.true_denials if is_denial_logged else None,
    )
