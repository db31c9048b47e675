"""Disputes of over-used lines as records: opened with what the packet asks back, moved, and listed (RULES 7)."""

from __future__ import annotations

from pipeline.application.account_view import AccountView
from pipeline.application.orders.place_order import Issue, issued_command, place_order
from pipeline.application.orders.poster import Poster
from pipeline.application.orders.unusual_orders import above_cost, refusal
from pipeline.model.orders import Logged, OpenDispute
from pipeline.rules.dispute.dispute_log import Dispute
from pipeline.rules.dispute.dispute_log import disputes as read_disputes
from pipeline.rules.dispute.packet import Packet
from pipeline.rules.orders.outcomes import Outcome


def open_dispute(
    view: AccountView, packet: Packet, issue: Issue, poster: Poster, *, amount: int | None = None, comment: str = ""
) -> Outcome:
    """Put the dispute of a packet's line on record, as a draft.

    ``amount`` is what is asked back in the smallest unit of the currency; without it, it is what the packet asks. More
    than the line costs must be confirmed. Raises as ``place_order`` does.
    """
    line, period = packet.line, packet.period.name
    asked = packet.claimed if amount is None else amount
    dispute = OpenDispute(period, line.product, line.country, "pooled", packet.subcategory, asked, comment)
    is_new = all(logged.command.id != issue.id for logged in view.log)
    if is_new and amount is not None and line.amount is not None and amount > line.amount:
        what = f"{line.product} in {line.country} costs in {period}"
        refused = refusal(issue.id, above_cost(amount, line.amount, packet.currency, what), issue.confirmed)
        if refused is not None:
            return Outcome(Logged(issued_command(view, dispute, issue), issue.at), "refused", refused)
    return place_order(view, dispute, issue, poster)


def account_disputes(view: AccountView) -> tuple[Dispute, ...]:
    """Every dispute of an account in the order in which they were opened, with its state and comments."""
    return tuple(read_disputes(view.orders).by_id.values())
