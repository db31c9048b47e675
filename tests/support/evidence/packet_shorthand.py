"""Dispute packets computed from heartbeats or sessions, without a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.model.contracts import Contract, Entitlement, Product
from pipeline.model.evidence import Heartbeat, SessionKey
from pipeline.model.instants import Period
from pipeline.model.statements import Basis, PooledLine
from pipeline.rules.dispute.flags import use_of
from pipeline.rules.dispute.packet import Packet
from pipeline.rules.dispute.packet_assembly import Findings, assemble_packet
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.rules.people.coverage import Covered
from pipeline.rules.people.holders import People
from pipeline.rules.people.named_seats import named_coverage
from pipeline.rules.people.waterfall import uncovered, units_by_slot
from pipeline.rules.pool.counting import Pool
from pipeline.rules.pool.pooled_lines import pooled_line
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement.recount import seats, uses
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.evidence.random_fleets import pure_counts, reading_of

PERIOD = Period.parse("2022Q2")
NO_BASIS = Basis(None, 0, 0, "sha256:0", "0", "embedded")


def packet_of(
    heartbeats: Iterable[Heartbeat],
    *,
    account: str = "acme",
    name: str = "MicroStation",
    entitled: int = 1,
    unit_price: int | None = 96_000,
    currency: str = "EUR",
    invoice: str = "",
) -> Packet:
    """The packet of product MSTN in CZ; ``entitled`` 0 means no entitlement."""
    evidence = [heartbeat._replace(account=account) for heartbeat in heartbeats]
    seat = Entitlement(("MSTN",), "CZ", "pooled", "bentley-select", entitled, instant("2022-01-01 00:00"), None)
    contract = Contract(
        account,
        "CZ",
        currency,
        "sha256:0123456789abcdef",
        products={"MSTN": Product("MSTN", name=name, unit_price=unit_price)},
        entitlements=(seat,) if entitled else (),
    )
    reading, days = reading_of(contract), fold(evidence)
    all_sessions = tuple(sessions(days))

    def counts(without: frozenset[SessionKey] = frozenset()) -> dict[int, int]:
        kept = [day for day in days if day.session not in without]
        return pure_counts(reading, kept, PERIOD).get(("MSTN", "CZ"), {})

    def recount(without: frozenset[SessionKey]) -> PooledLine:
        return pooled_line(reading, "MSTN", "CZ", PERIOD, counts(without))

    findings = Findings(counts(), all_sessions, all_sessions, frozenset(), Covered(()))
    basis = Basis(PERIOD.end_at, 120_034, 2, contract.content_hash, "0.1.0", "embedded")
    line = recount(frozenset())
    return assemble_packet(reading, PERIOD, line, findings, recount, state="open", basis=basis, invoice=invoice)


def plain_packet(
    reading: ContractReading,
    people: People,
    all_sessions: Sequence[Session],
    period: Period,
    pool: Pool,
    basis: Basis = NO_BASIS,
) -> Packet:
    """The packet of a pool from all sessions of the account; each line without some sessions is a full recount."""

    def counted(without: frozenset[SessionKey] = frozenset()) -> tuple[Covered, dict[int, int]]:
        used = uses(reading, people, period, [session for session in all_sessions if session.key not in without])
        held, named = seats(reading, people, period, used)
        covered = Covered([*held, *named_coverage(named, period)])
        return covered, units_by_slot(uncovered(used, covered)).get(pool, {})

    def recount(without: frozenset[SessionKey]) -> PooledLine:
        return pooled_line(reading, *pool, period, counted(without)[1])

    opened = [session for session in all_sessions if session.is_production and use_of(reading, pool[0], session)]
    first_at = min((session.opened_at for session in opened), default=0)
    first = frozenset(session.key for session in opened if session.opened_at == first_at)
    covered, counts = counted()
    findings = Findings(counts, tuple(all_sessions), tuple(all_sessions), first, covered)
    return assemble_packet(reading, period, recount(frozenset()), findings, recount, state="open", basis=basis)


def example() -> Packet:
    """One seat and four sessions at 15:10: an accidental launch, a forgotten session, a user at two machines."""

    def use(since: str, until: str, user: str, machine: str, active: str = "") -> Heartbeat:
        at = instant(f"2022-05-03 {until}")
        whole = heartbeat(instant(f"2022-05-03 {since}"), at, user=user, machine=machine, session=f"{user}-{machine}")
        return whole._replace(active_at=instant(f"2022-05-03 {active}") if active else at)

    return packet_of(
        [
            use("15:01", "15:20", "jana@acme.example", "ws-0123", "15:03"),
            use("11:00", "16:00", "petr@acme.example", "ws-0124", "12:00"),
            use("15:00", "15:30", "eva@acme.example", "ws-0125"),
            use("15:05", "15:30", "eva@acme.example", "ws-0126"),
        ],
        invoice="INV-2022-0815",
    )
