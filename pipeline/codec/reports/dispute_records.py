"""Disputes as records for people and programs."""

from __future__ import annotations

from typing import TypedDict

from pipeline.model.instants import iso
from pipeline.model.money import format_money
from pipeline.rules.dispute.dispute_log import Dispute


class CommentRecord(TypedDict):
    """What somebody said, and the state that the dispute was in from then on."""

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


def dispute_record(one: Dispute, currency: str) -> DisputeRecord:
    """A dispute in the form that programs read."""
    opened = one.opened
    return {
        "id": one.id,
        "period": opened.period,
        "product": opened.product,
        "country": opened.country,
        "model": opened.line_model,
        "category": opened.category,
        "state": one.state,
        "ticket": one.ticket,
        "amount": None if opened.amount is None else format_money(opened.amount, currency),
        "granted": None if one.granted is None else format_money(one.granted, currency),
        "currency": currency,
        "by": one.by,
        "opened_at": iso(one.opened_at),
        "comments": [
            {"at": iso(said.at), "by": said.by, "state": said.state, "text": said.text} for said in one.comments
        ],
    }
