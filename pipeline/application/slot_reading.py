"""Reading what stands behind a slot, and who used what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.application.seat_steps import read_seats
from pipeline.application.statement_life import Known, read_known
from pipeline.model.evidence import SessionKey
from pipeline.model.instants import Period
from pipeline.model.orders import Logged
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.explain.slot_explanation import SlotExplanation, explain_slot, slot_of
from pipeline.rules.orders.voids import voids_in_force
from pipeline.rules.people.coverage import Covered
from pipeline.rules.people.holders import people_of
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.order_log import read_first_commands
from pipeline.store.stored_sessions import Selection, read_sessions


def read_explanation(
    client: Client,
    reading: ContractReading,
    product: str,
    country: str,
    at: int,
    logged: Sequence[Logged] | None = None,
) -> SlotExplanation:
    """Take the slot that holds ``at`` apart, after the account's commands in log order, no id twice.

    They are those that the store holds where none are given. Raises ``BeforeFirstRow``.
    """
    log = read_first_commands(client, reading.contract.account) if logged is None else logged
    slot_at, policy = slot_of(reading, product, country, at)
    selection = Selection(
        account=reading.contract.account,
        from_at=slot_at,
        until_at=slot_at + policy.slot_ms,
        codes=reading.codes_of(product),
    )
    people, voids = people_of(reading.contract, log), voids_in_force(log)
    seats = read_seats(client, reading, people, Period.containing(slot_at), voids=voids)
    return explain_slot(
        reading,
        product,
        country,
        slot_at,
        read_sessions(client, selection),
        covered=Covered(seats.coverage),
        checkouts=people.checkouts,
        voids=voids,
    )


Named = tuple[Session, str, str]
"""A session with the product and country it counts for."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Sessions by opening. ``closed``: the closed quarters that any of them were read in, with what they rest on."""

    sessions: tuple[Named, ...]
    closed: tuple[Known, ...]


def read_usage_as_closed(
    client: Client,
    reading: ContractReading,
    *,
    from_at: int,
    until_at: int,
    product: str = "",
    user: str = "",
    machine: str = "",
) -> Usage:
    """Sessions with use in ``[from_at, until_at)``: closed quarters by what they were closed with, others as of now.

    A session with use in several is told once, as the first of them has it. The rest is as of ``read_usage``. Raises
    ``InputError`` where the store has lost the contract of a close.
    """
    now, quarters = read_known(client, reading)
    found: dict[SessionKey, Named] = {}
    closed = []
    for known, begins_at, ends_at in _stretches(now, quarters, from_at, until_at):
        asked = read_usage(
            client, known, from_at=begins_at, until_at=ends_at, product=product, user=user, machine=machine
        )
        for one in asked:
            found.setdefault(one[0].key, one)
        if asked and known.closed is not None:
            closed.append(known)
    sessions = sorted(found.values(), key=lambda one: (one[0].opened_at, one[0].key))
    return Usage(tuple(sessions), tuple(closed))


def _stretches(
    now: Known, quarters: Sequence[tuple[Period, Known]], from_at: int, until_at: int
) -> Iterator[tuple[Known, int, int]]:
    """A range cut where closed quarters, given in order of time, begin and end."""
    for period, known in quarters:
        if period.end_at <= from_at or until_at <= period.start_at:
            continue
        if from_at < period.start_at:
            yield now, from_at, period.start_at
        yield known, max(from_at, period.start_at), min(until_at, period.end_at)
        from_at = period.end_at
    if from_at < until_at:
        yield now, from_at, until_at


def read_usage(
    client: Client,
    known: Known,
    *,
    from_at: int,
    until_at: int,
    product: str = "",
    user: str = "",
    machine: str = "",
) -> list[Named]:
    """Sessions with use in ``[from_at, until_at)``, with the product and country they count for then, by opening.

    Voids are applied: what they leave out is not told.

    ``product`` is a product of the contract or a code as reported; ``user`` and ``machine`` are folded.
    """
    reading = known.reading
    selection = Selection(
        account=reading.contract.account,
        from_at=from_at,
        until_at=until_at,
        codes=reading.codes_of(product) if product else (),
        user=user,
        machine=machine,
    )
    named = [
        (
            session,
            reading.product_at(session.key.product, max(session.opened_at, from_at)),
            reading.country_of(session.key.country),
        )
        for session in read_sessions(client, selection, voids_in_force(known.logged))
    ]
    return [one for one in named if not product or product in {one[1], one[0].key.product}]
