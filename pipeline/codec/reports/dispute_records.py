"""Disputes as records for people and programs."""

from __future__ import annotations

from typing import TypedDict

from pipeline.model.instants import iso
from pipeline.model.money import format_money
from pipeline.rules.dispute.dispute_log import Dispute


class CommentRecord(TypedDict):
    """A comment, and the state of the dispute from then on."""

    at: str
    by: str
    state: str
    text: str


class DisputeRecord(TypedDict):
    """A dispute; ``amount`` is what is asked back, ``granted`` the credit, ``null`` where there is none."""

    id: str
    period: str
    product: str
    country: str
    model: str
    category: str
    state: str
    ticket: str
    amount: str | None
    granted: str | None
    currency: str
    by: str
    opened_at: str
    comments: list[CommentRecord]


def dispute_record(dispute: Dispute, currency: str) -> DisputeRecord:
    """A dispute in the form that programs read."""
    opened = dispute.opened
    return {
        "id": dispute.id,
        "period": opened.period,
        "product": opened.product,
        "country": opened.country,
        "model": opened.line_model,
        "category": opened.category,
        "state": dispute.state,
        "ticket": dispute.ticket,
        "amount": None if opened.amount is None else format_money(opened.amount, currency),
        "granted": None if dispute.granted is None else format_money(dispute.granted, currency),
        "currency": currency,
        "by": dispute.by,
        "opened_at": iso(dispute.opened_at),
        "comments": [
            {"at": iso(comment.at), "by": comment.by, "state": comment.state, "text": comment.text}
            for comment in dispute.comments
        ],
    }
