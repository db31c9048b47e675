"""Voids: evidence left out of every count, by an order that is shown and can be undone (RULES 7).

A voided session is left out whole. Where a void names a range of time, the base slots that overlap it are not read.
Whether a session is recorded, and in which slot it was opened, is still judged by its whole life. Nothing is deleted:
an ``unvoid`` later in the log brings everything back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.model.evidence import SessionKey
from pipeline.model.instants import BASE_SLOT_MS, SLOTS_PER_DAY, Period
from pipeline.model.orders import Command, Logged, Refused, Unvoid, Void
from pipeline.model.statements import VoidEntry
from pipeline.model.text import fold
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.orders.first_of_id import first_of_each

ALL_SLOTS = (1 << SLOTS_PER_DAY) - 1


def voids_in_force(logged: Iterable[Logged]) -> tuple[VoidEntry, ...]:
    """The voids of an account's log that no later entry undoes, in log order."""
    return _fold(logged)[0]


def refused_unvoids(logged: Iterable[Logged]) -> tuple[Refused, ...]:
    """The orders to undo a void that is not in force: they change nothing."""
    return _fold(logged)[1]


def _fold(logged: Iterable[Logged]) -> tuple[tuple[VoidEntry, ...], tuple[Refused, ...]]:
    ordered: dict[str, VoidEntry] = {}
    undone: set[str] = set()
    refused = []
    for entry in first_of_each(logged)[0]:
        command = entry.command
        if (void_shown := void_entry(command)) is not None:
            ordered[command.id] = void_shown
        elif isinstance(command.order, Unvoid):
            void = command.order.void
            if void not in ordered:
                refused.append(Refused(command.id, "unknown_void", f"there is no void with the id {void} before this"))
            elif void in undone:
                refused.append(Refused(command.id, "undone_already", f"the void {void} was undone before"))
            undone |= {void} & ordered.keys()
    return tuple(shown for id_, shown in ordered.items() if id_ not in undone), tuple(refused)


def void_entry(command: Command) -> VoidEntry | None:
    """A void as the statement shows it; ``None`` for any other command."""
    void = command.order
    if not isinstance(void, Void):
        return None
    return VoidEntry(
        id=command.id,
        by=command.by,
        at=command.issued_at,
        reason=void.reason,
        session=void.session,
        product=void.product,
        machine=fold(void.machine),
        user=fold(void.user),
        from_at=void.from_at,
        until_at=void.until_at,
    )


def concerns(void: VoidEntry, key: SessionKey) -> bool:
    """Whether a void is about a session: every text that it states equals the session's, the product as reported."""
    return (
        void.session in {"", key.session}
        and void.product in {"", key.product}
        and void.machine in {"", key.machine}
        and void.user in {"", key.user}
    )


def slot_range(void: VoidEntry) -> tuple[int | None, int | None]:
    """The base slots that a void leaves out, ``[first, until)`` from the epoch: those that overlap its range."""
    first = None if void.from_at is None else void.from_at // BASE_SLOT_MS
    until = None if void.until_at is None else -(-void.until_at // BASE_SLOT_MS)
    return first, until


def overlaps(void: VoidEntry, period: Period) -> bool:
    """Whether a void's range reaches into a period."""
    return (void.from_at is None or void.from_at < period.end_at) and (
        void.until_at is None or void.until_at > period.start_at
    )


def voided_by(session: Session, used_at: int, voids: Iterable[VoidEntry]) -> VoidEntry | None:
    """The first void that leaves out a session's base slot at ``used_at``."""
    slot = used_at // BASE_SLOT_MS
    for void in voids:
        first, until = slot_range(void)
        if concerns(void, session.key) and (first is None or first <= slot) and (until is None or slot < until):
            return void
    return None


def without_voided(sessions: Iterable[Session], voids: Sequence[VoidEntry]) -> list[Session]:
    """Sessions as they are read under voids. A session without a slot that is left counts nowhere and is left out."""
    if not voids:
        return [*sessions]
    kept = []
    for session in sessions:
        concerned = [void for void in voids if concerns(void, session.key)]
        if not concerned:
            kept.append(session)
            continue
        used = {day: slots & ~_voided_slots(day, concerned) for day, slots in session.used_slots.items()}
        if any(used.values()):
            kept.append(replace(session, used_slots=used))
    return kept


def _voided_slots(day: int, voids: Iterable[VoidEntry]) -> int:
    """The base slots of a day that voids leave out, as a bit set."""
    voided, start = 0, day * SLOTS_PER_DAY
    for void in voids:
        first, until = slot_range(void)
        from_slot = 0 if first is None else min(max(first - start, 0), SLOTS_PER_DAY)
        until_slot = SLOTS_PER_DAY if until is None else min(max(until - start, 0), SLOTS_PER_DAY)
        voided |= (ALL_SLOTS >> (SLOTS_PER_DAY - max(until_slot, from_slot))) & (ALL_SLOTS << from_slot)
    return voided & ALL_SLOTS
