"""Commands and what became of them, for people and programs."""

from __future__ import annotations

from dataclasses import fields
from typing import Final, TypedDict

from pipeline.codec.topics.order_fields import order_kind
from pipeline.model.instants import iso, iso_exact
from pipeline.model.money import format_money
from pipeline.model.orders import Order
from pipeline.rules.orders.outcomes import Outcome

_SHOWN_MAX: Final = 60
_NAMES: Final = {"line_model": "model", "from_at": "from", "until_at": "until", "purchased_at": "purchased"}
_MONEY: Final = frozenset({"amount", "granted"})
_LEFT_OUT: Final = frozenset({"statement"})
"""A frozen statement is read with ``seatbeat statement``, not in a line."""


class OutcomeRecord(TypedDict):
    """A command and what became of it; ``code``, ``sentence`` and ``possible_at`` are ``null`` where it took effect."""

    id: str
    account: str
    kind: str
    by: str
    issued_at: str
    received_at: str
    what: str
    outcome: str
    code: str | None
    sentence: str | None
    possible_at: str | None


def outcome_record(outcome: Outcome, currency: str) -> OutcomeRecord:
    """A command of the log and what became of it. ``currency`` is that of the account's contract."""
    command, refused = outcome.logged.command, outcome.refused
    possible_at = None if refused is None else refused.possible_at
    return {
        "id": command.id,
        "account": command.account,
        "kind": order_kind(command.order),
        "by": command.by,
        "issued_at": iso(command.issued_at),
        "received_at": iso(outcome.logged.received_at),
        "what": order_text(command.order, currency),
        "outcome": outcome.status,
        "code": None if refused is None else refused.code,
        "sentence": None if refused is None else refused.sentence,
        "possible_at": None if possible_at is None else iso_exact(possible_at),
    }


def order_text(order: Order, currency: str) -> str:
    """An order in a line: its kind and what it states, in the contract's names."""
    stated = []
    for field in fields(order):
        value = getattr(order, field.name)
        if value is None or value is False or value in ("", ()) or field.name in _LEFT_OUT:  # 0 is stated
            continue
        name = _NAMES.get(field.name, field.name)
        stated.append(name if value is True else f"{name} {_stated(field.name, value, currency)}")
    return f"{order_kind(order)} {', '.join(stated)}"


def _stated(name: str, value: object, currency: str) -> str:
    if isinstance(value, int) and (name in {"at", "complete_until"} or name.endswith("_at")):
        return iso_exact(value)
    if isinstance(value, int) and name in _MONEY:
        return f"{format_money(value, currency)} {currency}"
    return _text(value)


def _text(value: object) -> str:
    text = " ".join(pack.id for pack in value) if isinstance(value, tuple) else str(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"
