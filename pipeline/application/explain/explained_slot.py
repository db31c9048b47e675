"""A slot taken apart: the machines, sessions and checkouts that count in it, and what does not count and why."""

from __future__ import annotations

from pipeline.application.account_view import AccountView
from pipeline.application.as_of_view import view_as_of
from pipeline.application.quarter.seat_steps import seat_steps
from pipeline.model.instants import Period
from pipeline.rules.explain.slot_explanation import SlotExplanation, explain_slot, slot_of
from pipeline.rules.people.coverage import Covered
from pipeline.store.stored_sessions import Selection, read_sessions


def explained_slot(
    view: AccountView, product: str, country: str, at: int, as_of: str = ""
) -> tuple[SlotExplanation, AccountView]:
    """The slot that holds ``at``, and the view it is read under: as of a close or a version as ``view_as_of`` says.

    Without a country it is the contract's. Raises ``InputError`` and ``BeforeFirstRow``.
    """
    then = view_as_of(view, Period.containing(at), as_of)
    return explain_slot_at(then, product, then.reading.country_of(country), at), then


def explain_slot_at(
    view: AccountView, product: str, country: str, at: int, covered: Covered | None = None
) -> SlotExplanation:
    """Take the slot that holds ``at`` apart under a view.

    ``covered`` is what seats of people cover in its quarter, where the caller has it. Raises ``BeforeFirstRow``.
    """
    slot_at, policy = slot_of(view.reading, product, country, at)
    selection = Selection(
        account=view.account,
        from_at=slot_at,
        until_at=slot_at + policy.slot_ms,
        codes=view.reading.codes_of(product),
    )
    if covered is None:
        covered = Covered(seat_steps(view, Period.containing(slot_at)).coverage)
    return explain_slot(
        view.reading,
        product,
        country,
        slot_at,
        read_sessions(view.client, selection),
        covered=covered,
        checkouts=view.people.checkouts,
        voids=view.voids,
    )
