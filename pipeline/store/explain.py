"""Reading what stands behind a slot, and who used what."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.model.commands import Logged
from pipeline.model.instants import Period
from pipeline.rules.coverage import Covered
from pipeline.rules.explain import SlotExplanation, explain_slot, slot_of
from pipeline.rules.people import people_of
from pipeline.rules.reading import ContractReading
from pipeline.rules.sessions import Session
from pipeline.rules.voids import voids_in_force
from pipeline.store.client import Client
from pipeline.store.commands import read_first_commands
from pipeline.store.seats import read_seats
from pipeline.store.sessions import Selection, read_sessions
from pipeline.store.voids import read_voids


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


def read_usage(
    client: Client,
    reading: ContractReading,
    *,
    from_at: int,
    until_at: int,
    product: str = "",
    user: str = "",
    machine: str = "",
) -> list[tuple[Session, str, str]]:
    """Sessions with use in ``[from_at, until_at)``, with the product and country they count for then, by opening.

    Voids are applied: what they leave out is not told.

    ``product`` is a product of the contract or a code as reported; ``user`` and ``machine`` are folded.
    """
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
        for session in read_sessions(client, selection, read_voids(client, reading.contract.account))
    ]
    return [one for one in named if not product or product in {one[1], one[0].key.product}]
