"""Random sessions and contracts around the days on which rules change, and their counts by the rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hypothesis import strategies as st

from pipeline.model.contracts import Contract, CustomPolicy, Entitlement, Product, Replacement
from pipeline.model.evidence import Heartbeat, SessionDay
from pipeline.model.instants import DAY_MS, HOUR_MS, MINUTE_MS, Period
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.pool.counting import Pool, slot_counts
from pipeline.rules.pool.reading import ContractReading
from tests.support.evidence.evidence_shorthand import heartbeat, instant

TURNS = tuple(instant(f"{day} 00:00") for day in ("2016-04-01", "2020-03-01", "2022-05-04", "2022-07-01", "2023-01-01"))
"""Midnights at boundaries: the policy change of 2016, a leap day, an ordinary day, and ends of quarters."""

POLICIES = ("bentley-select", "bentley-select-deployed", "bentley-e365", "bentley-els", "own", "other")
OWN = {
    "own": CustomPolicy("own", "bentley-e365", instant("2016-04-01 00:00"), min_use_ms=12 * MINUTE_MS),
    "other": CustomPolicy(
        "other", "bentley-select", instant("2006-01-01 00:00"), slot_ms=2 * HOUR_MS, unit="machine+session"
    ),
}


@dataclass(frozen=True, slots=True)
class Fleet:
    """Evidence of an account around an instant; heartbeats of a session may disagree on its opening."""

    turn_at: int
    heartbeats: tuple[Heartbeat, ...]

    def of(self, account: str) -> tuple[Heartbeat, ...]:
        """The same evidence for another account."""
        return tuple(heartbeat._replace(account=account) for heartbeat in self.heartbeats)

    @property
    def periods(self) -> list[Period]:
        """The quarters that contain the evidence."""
        starts = {Period.containing(at) for heartbeat in self.heartbeats for at in (heartbeat.since, heartbeat.at)}
        return sorted(starts, key=lambda period: period.start_at)


def _instants(turn_at: int, hours: int) -> st.SearchStrategy[int]:
    minutes = st.integers(-hours * 60, hours * 60) | st.integers(-3, 3).map(lambda tens: tens * 10)
    return st.builds(
        lambda minute, ms: turn_at + minute * MINUTE_MS + ms, minutes, st.sampled_from((0, 0, 0, 1, -1, 1_234))
    )


@st.composite
def session_heartbeats(
    draw: st.DrawFn, turn_at: int, hours: int, *, agreed: bool, products: tuple[str, ...]
) -> list[Heartbeat]:
    """One to four heartbeats of a session, in order, with openings that agree or differ by minutes to hours."""
    opened_at = draw(_instants(turn_at, hours))
    product, country = draw(st.sampled_from(products)), draw(st.sampled_from(("", "", "CZ", "SK")))
    usage = draw(st.sampled_from(("production",) * 6 + ("trial",)))
    machine, user = draw(st.sampled_from(("pc1", "pc2", "pc3"))), draw(st.sampled_from(("eva", "petr")))
    session = draw(st.sampled_from(("s1", "s2", "s3", "s4", "s5", "s6")))
    heartbeats, at = [], opened_at
    for _ in range(draw(st.integers(1, 4))):
        since = at + draw(st.sampled_from((0, 0, 1, 9, 11, 200, 1_300))) * MINUTE_MS
        at = since + draw(st.sampled_from((0, 1, 4, 9, 10, 25, 70))) * MINUTE_MS + draw(st.sampled_from((0, 0, -1, 1)))
        at = max(since, at)
        opening = opened_at
        if not agreed:
            opening = min(since, opened_at + draw(st.sampled_from((0, 0, -3, -11, -90, -500, 8, 45, 400))) * MINUTE_MS)
        resumed_at = draw(st.sampled_from((opening, since, (opening + since) // 2)))
        heartbeats.append(
            heartbeat(
                opening,
                at,
                since=since,
                state=draw(st.sampled_from(("open", "beat", "beat", "close"))),
                product=product,
                country=country,
                usage=usage,
                machine=machine,
                user=user,
                session=session,
                version=draw(st.sampled_from(("9", "10.1", ""))),
                resumed_at=resumed_at,
                active_at=draw(st.sampled_from((resumed_at, at))),
            )
        )
    return heartbeats


@st.composite
def fleets(
    draw: st.DrawFn,
    *,
    sessions_max: int = 12,
    sessions_min: int = 1,
    hours: int = 30,
    agreed: bool = False,
    products: tuple[str, ...] = ("A", "OLD", "B", "PLUG", "X"),
) -> Fleet:
    """Sessions of a few users on a few machines, many concurrent, around an instant at which rules change."""
    turn_at = draw(st.sampled_from(TURNS))
    beats = session_heartbeats(turn_at, hours, agreed=agreed, products=products)
    by_session = draw(st.lists(beats, min_size=sessions_min, max_size=sessions_max))
    return Fleet(turn_at, tuple(beat for heartbeats in by_session for beat in heartbeats))


@st.composite
def contracts(draw: st.DrawFn, turn_at: int) -> Contract:
    """A contract in which entitlements, policies and replacements begin and end around an instant."""
    days = st.sampled_from([turn_at + day * DAY_MS for day in (-1, 0, 1)])
    starts_at = instant("2016-01-01 00:00") if turn_at == TURNS[0] else instant("2019-01-01 00:00")
    early = ("bentley-select", "bentley-select-deployed", "other")
    policies = st.sampled_from(POLICIES if turn_at > TURNS[0] else early)
    entitlements = []
    for product, country in (("A", "CZ"), ("A", "SK"), ("B", "CZ"), ("PLUG", "CZ")):
        shape, turning_at = draw(st.sampled_from(("none", "all along", "ends", "begins", "changes"))), draw(days)
        if shape in {"all along", "ends", "changes"}:
            until_at = None if shape == "all along" else turning_at
            entitlements.append(_pooled(product, country, draw(policies), draw(st.integers(0, 2)), starts_at, until_at))
        if shape in {"begins", "changes"}:
            entitlements.append(_pooled(product, country, draw(policies), draw(st.integers(0, 2)), turning_at, None))
    old = draw(st.sampled_from((None, Replacement("OLD"), Replacement("OLD", draw(days)))))
    until = draw(st.sampled_from((None, Replacement("OLD", None, draw(days)))))
    products = {
        "A": Product("A", replaces=() if old is None else (old,), unit_price=100),
        "B": Product("B", replaces=(until,) if until is not None and old is None else ()),
        "PLUG": Product("PLUG", plugin_of="A"),
    }
    return Contract(
        account="acme",
        country="CZ",
        currency="EUR",
        content_hash="sha256:0",
        default_policy=draw(policies),
        policies=OWN,
        products=products,
        entitlements=tuple(entitlements),
    )


def _pooled(product: str, country: str, policy: str, quantity: int, from_at: int, until_at: int | None) -> Entitlement:
    return Entitlement((product,), country, "pooled", policy, quantity, from_at, until_at)


def reading_of(contract: Contract) -> ContractReading:
    """The reading of a contract under the built-in policies."""
    return ContractReading(contract, metering_catalogue())


def pure_counts(reading: ContractReading, days: Iterable[SessionDay], period: Period) -> dict[Pool, dict[int, int]]:
    """The counts of a quarter by the rules."""
    used = sessions(days)
    reported = {(session.key.product, session.key.country) for session in used}
    return slot_counts(used, reading.judgements_of(reported, period))
