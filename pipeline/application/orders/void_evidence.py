"""Evidence is left out of every count (RULES 7): a void is placed, and it is said where it leaves out nothing."""

from __future__ import annotations

from pipeline.application.account_view import AccountView
from pipeline.application.orders.place_order import Issue, place_order
from pipeline.application.orders.poster import Poster
from pipeline.model.orders import Void
from pipeline.rules.orders.outcomes import Outcome
from pipeline.rules.orders.voids import void_entry
from pipeline.store.counting.void_filter import has_evidence


def void_evidence(view: AccountView, void: Void, issue: Issue, poster: Poster) -> tuple[Outcome, bool]:
    """The outcome of a void, and whether stored evidence is of what it leaves out. Raises as ``place_order`` does."""
    outcome = place_order(view, void, issue, poster)
    entry = void_entry(outcome.logged.command)
    return outcome, entry is None or has_evidence(view.client, view.account, entry)
