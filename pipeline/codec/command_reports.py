"""Commands and what became of them, in the form that people and programs read."""

from __future__ import annotations

from dataclasses import fields
from typing import Final, TypedDict

from pipeline.codec.commands import kind_of
from pipeline.model.commands import Order
from pipeline.model.instants import iso
from pipeline.rules.orders import Outcome

_SHOWN_MAX: Final = 60


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


def outcome_record(outcome: Outcome) -> OutcomeRecord:
    """A message of the log in the form that programs read."""
    command, refused = outcome.logged.command, outcome.refused
    possible_at = None if refused is None else refused.possible_at
    return {
        "id": command.id,
        "account": command.account,
        "kind": kind_of(command.order),
        "by": command.by,
        "issued_at": iso(command.issued_at),
        "received_at": iso(outcome.logged.received_at),
        "what": order_text(command.order),
        "outcome": outcome.status,
        "code": None if refused is None else refused.code,
        "sentence": None if refused is None else refused.sentence,
        "possible_at": None if possible_at is None else iso(possible_at),
    }


def order_text(order: Order) -> str:
    """An order in a line: its kind and what it states, by the contract's own names."""
    stated = []
    for one in fields(order):
        value = getattr(order, one.name)
        if value in {None, ""} if not isinstance(value, tuple) else not value:
            continue
        name = one.name.removesuffix("_at") if one.name != "at" else "at"
        text = _instant_text(value) if one.name.endswith("at") or one.name == "complete_until" else _text(value)
        stated.append(f"{name} {text}")
    return f"{kind_of(order)} {', '.join(stated)}"


def _instant_text(value: object) -> str:
    return iso(value) if isinstance(value, int) else _text(value)


def _text(value: object) -> str:
    text = " ".join(one.id for one in value) if isinstance(value, tuple) else str(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[: _SHOWN_MAX - 1]}…"
