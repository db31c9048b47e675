"""The packet of an over-used line: who counted in the over-used slots, and what else bears on them (RULES 7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.quarter_counts import pool_counts
from pipeline.application.quarter.quarter_grounds import Grounds, change_since_close, quarter_grounds
from pipeline.codec.reports.letter_records import printable
from pipeline.model.errors import InputError
from pipeline.model.evidence import SessionDay, SessionKey
from pipeline.model.instants import BASE_SLOT_MS, DAY_MS, Period, day_of
from pipeline.model.statements import PooledLine, Statement
from pipeline.rules.dispute.packet import Packet
from pipeline.rules.dispute.packet_assembly import Findings, assemble_packet
from pipeline.rules.evidence.merge import slot_mask, slots_of
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.rules.orders.voids import without_voided
from pipeline.rules.people.coverage import Covered
from pipeline.rules.pool.overused_slots import OverusedSlot, overused_slots
from pipeline.rules.pool.pooled_lines import pooled_line
from pipeline.rules.pool.product_spans import product_spans
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.overused_sessions import (
    OverusedUse,
    days_of_overused_sessions,
    days_of_their_users,
    first_sessions,
)
from pipeline.store.stored_sessions import DAY_MAX

_SHARED_LOGIN_MIN: Final = 4
"""On so many machines at once no single person sits."""


@dataclass(frozen=True, slots=True)
class ContestedLine:
    """The packet of a line, and in words how evidence changed the line since its quarter was closed, ``''`` if not."""

    packet: Packet
    change: str


def contested_line(
    view: AccountView, period: Period, product: str, country: str = "", invoice: str = ""
) -> ContestedLine:
    """The packet of the over-used line of a product, by what its quarter rests on.

    Without a country it is the contract's. Raises ``InputError`` where there is no such line with over-use, and
    ``BeforeFirstRow``.
    """
    grounds = quarter_grounds(view.of_quarter(period), period)
    line = overused_line(grounds.statement, product, grounds.view.reading.country_of(country))
    return ContestedLine(line_packet(grounds, line, invoice), change_since_close(grounds, line))


def overused_line(statement: Statement, product: str, country: str) -> PooledLine:
    """The line of a product and country. Raises ``InputError`` where there is none, or none that is over-used."""
    place = printable(f"{product} in {country}")
    line = next((line for line in statement.pooled if (line.product, line.country) == (product, country)), None)
    if line is not None and line.overuse:
        return line
    models = [line.model for line in statement.lines if (line.product, line.country) == (product, country)]
    reason = "has no over-use" if line is not None else "has no line"
    if line is None and models:
        reason = f"has no pooled line (only {', '.join(models).replace('_', ' ')})"
    over = [f"{line.product} in {line.country} (by {line.overuse})" for line in statement.pooled if line.overuse]
    remedy = f"Lines with over-use: {printable(', '.join(over))}" if over else "No line of this quarter has over-use"
    raise InputError(place, f"{reason} in {statement.period.name}", remedy)


def line_packet(grounds: Grounds, line: PooledLine, invoice: str = "") -> Packet:
    """The packet of an over-used line of the grounds' statement. What voids leave out is no evidence."""
    view, period, pool = grounds.view, grounds.statement.period, (line.product, line.country)
    reading = view.reading
    seats, pools = pool_counts(view, period)
    counts = pools.get(pool, {})
    use = _overused_use(reading, period, line, overused_slots(reading, *pool, counts))
    counted = _sessions(view, days_of_overused_sessions(view.client, use))
    days = sorted({day for session in counted for day in session.used_slots})
    spans = list(_spans(reading, line.product))
    findings = Findings(
        counts=counts,
        used=counted,
        others=_sessions(view, days_of_their_users(view.client, use, days)),
        first=first_sessions(view.client, view.account, spans),
        covered=Covered(seats.coverage),
    )

    def recount(left_out: frozenset[SessionKey]) -> PooledLine:
        _, left = pool_counts(view, period, left_out)
        return pooled_line(reading, *pool, period, left.get(pool, {}))

    statement = grounds.statement
    return assemble_packet(
        reading, period, line, findings, recount, state=statement.state, basis=statement.basis, invoice=invoice
    )


def packet_warnings(packet: Packet) -> Iterator[str]:
    """What whoever sends the packet should know before."""
    if not packet.invoice:
        yield "no --invoice: put its number into the subject before you send the ticket"
    if packet.line.term_licenses == 0:
        yield "no term licence is due by this line: there is nothing to ask back"
    elif packet.claimed is None:
        yield "the contract has no price for this product: the ticket names no amount"
    machines = _machines_of_one_user(packet)
    if machines >= _SHARED_LOGIN_MIN:
        yield f"one user name counts on {machines} machines at once: a shared login, which the vendor will see too"


def _machines_of_one_user(packet: Packet) -> int:
    """On how many machines the user with the most of them was counted at once, in any over-used slot."""
    machines: dict[tuple[str, int], set[str]] = {}
    for evidence in packet.evidence:
        for slot_at in evidence.slots:
            machines.setdefault((evidence.session.key.user, slot_at), set()).add(evidence.session.key.machine)
    return max(map(len, machines.values()), default=0)


def _sessions(view: AccountView, days: Iterable[SessionDay]) -> tuple[Session, ...]:
    return tuple(without_voided(sessions(days), view.voids))


def _overused_use(
    reading: ContractReading, period: Period, line: PooledLine, overused: Iterable[OverusedSlot]
) -> OverusedUse:
    masks: dict[int, int] = {}
    for slot in overused:
        day, first_ms = divmod(slot.slot_at, DAY_MS)
        last = (slot.until_at - 1 - day * DAY_MS) // BASE_SLOT_MS
        masks[day] = masks.get(day, 0) | slot_mask(first_ms // BASE_SLOT_MS, last)
    return OverusedUse(
        account=reading.contract.account,
        codes=reading.codes_of(line.product),
        slots=tuple((day, list(slots_of(mask))) for day, mask in sorted(masks.items())),
        from_day=day_of(period.start_at),
        until_day=day_of(period.end_at),
    )


def _spans(reading: ContractReading, product: str) -> Iterator[tuple[str, int, int]]:
    """The days on which use of a code is use of a product."""
    for code in reading.codes_of(product):
        for from_day, until_day, counts_for in product_spans(reading, code, 0, DAY_MAX):
            if counts_for == product:
                yield code, from_day, until_day
