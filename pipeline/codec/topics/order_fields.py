"""Every order's own fields in its message: written, and read with every mistake noted.

Users and machines are folded on reading, so that the same order written with other letters is the same order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Final, get_args

from pipeline.codec.json_fields import JsonFields
from pipeline.codec.json_text import NotJson, parse_json
from pipeline.model.contracts import EntitlementModel, TokenPack
from pipeline.model.orders import (
    ORDER_KINDS,
    Assign,
    AssignableModel,
    BuyTokens,
    CheckIn,
    CheckOut,
    Close,
    CreditTokens,
    DisputeState,
    MoveDispute,
    OpenDispute,
    Order,
    Release,
    Tick,
    Unvoid,
    Void,
)

_NAMES: Final = {"from_at": "from", "until_at": "until", "line_model": "model"}
"""Fields that are written as the contract's YAML and the statement name them."""
_KIND_OF: Final = {order: kind for kind, order in ORDER_KINDS.items()}
_PERIOD: Final = re.compile(r"2[01]\d\dQ[1-4]")
_HASH: Final = re.compile(r"sha256:[0-9a-f]{64}")


def order_kind(order: Order) -> str:
    """The name of an order in its message."""
    return _KIND_OF[type(order)]


def order_record(order: Order) -> dict[str, object]:
    """An order's own fields; a value that is absent has none."""
    record: dict[str, object] = {}
    for field in fields(order):
        value = getattr(order, field.name)
        if value is None or (value == "" and field.default is not MISSING):
            continue
        record[_NAMES.get(field.name, field.name)] = list(map(_pack_record, value)) if field.name == "packs" else value
    return record


def read_order(kind: str, message: JsonFields) -> Order:
    """An order of a kind, from its message. Mistakes are noted in ``message``; with any the order is of no use."""
    return _READERS[kind](message)


def _pack_record(pack: TokenPack) -> dict[str, object]:
    return {field.name: value for field in fields(pack) if (value := getattr(pack, field.name)) not in {None, ""}}


def _assign(message: JsonFields) -> Assign:
    user, replaces = message.name("user"), message.name("replaces", required=False) or None
    if replaces is not None and replaces == user:
        message.mistake("replaces", "is the same user", "Name the user whose seat is taken over, or leave it out")
    return Assign(
        message.text("product"), message.text("country"), user, message.instant("at"), replaces, _seat_model(message)
    )


def _release(message: JsonFields) -> Release:
    return Release(
        message.text("product"),
        message.text("country"),
        message.name("user"),
        message.instant("at"),
        _seat_model(message),
    )


def _seat_model(message: JsonFields) -> AssignableModel | None:
    choices: tuple[AssignableModel, ...] = get_args(AssignableModel)
    return message.choice("model", choices, required=False)


def _check_out(message: JsonFields) -> CheckOut:
    from_at, until_at = message.instant("from"), message.instant("until")
    message.check_span(from_at, until_at)
    return CheckOut(
        message.text("product"),
        message.text("country"),
        message.name("user"),
        message.name("machine"),
        from_at,
        until_at,
    )


def _check_in(message: JsonFields) -> CheckIn:
    return CheckIn(message.text("checkout"), message.instant("at"))


def _close(message: JsonFields) -> Close:
    statement = message.any_text("statement")
    if statement and not _is_json_object(statement):
        message.mistake("statement", "is not the text of a JSON object", "Give the statement as JSON, as a text")
    return Close(
        period=message.matching("period", _PERIOD, "2022Q2"),
        contract=message.matching("contract", _HASH, "sha256: and 64 hex digits"),
        statement=statement,
        complete_until=message.optional_instant("complete_until"),
        silent_machines=message.whole("silent_machines"),
        forced=message.flag("forced"),
    )


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(parse_json(text), dict)
    except NotJson:
        return False


def _void(message: JsonFields) -> Void:
    """A session, or a machine or a user or both over a range; anything wider would be a slip of the hand."""
    from_at, until_at = message.optional_instant("from"), message.optional_instant("until")
    void = Void(
        reason=message.prose("reason"),
        session=message.text("session", required=False),
        product=message.text("product", required=False),
        machine=message.name("machine", required=False),
        user=message.name("user", required=False),
        from_at=from_at,
        until_at=until_at,
    )
    if void.session:
        for field in ("from", "until"):
            if message.has(field):
                message.mistake(field, "does not go with session, which is left out whole", "Remove it, or the session")
    elif not void.machine and not void.user:
        message.mistake("session", "is missing, and so are machine and user", "Say what to leave out")
    else:
        for field, at in (("from", from_at), ("until", until_at)):
            if at is None:
                message.mistake(field, "is missing", "Say over which range the machine or user is left out")
    if from_at is not None and until_at is not None:
        message.check_span(from_at, until_at)
    return void


def _unvoid(message: JsonFields) -> Unvoid:
    return Unvoid(message.text("void"), message.prose("reason"))


def _open_dispute(message: JsonFields) -> OpenDispute:
    models: tuple[EntitlementModel, ...] = get_args(EntitlementModel)
    return OpenDispute(
        period=message.matching("period", _PERIOD, "2022Q2"),
        product=message.text("product"),
        country=message.text("country"),
        line_model=message.choice("model", models) or "",
        category=message.text("category"),
        amount=message.optional_whole("amount"),
        comment=message.prose("comment", required=False),
    )


def _move_dispute(message: JsonFields) -> MoveDispute:
    states: tuple[DisputeState, ...] = get_args(DisputeState)
    state, granted = message.choice("state", states), message.optional_whole("granted")
    if granted is not None and state != "granted":
        message.mistake("granted", "goes with the state granted alone", "Remove it, or correct the state")
    ticket, comment = message.text("ticket", required=False), message.prose("comment", required=False)
    return MoveDispute(message.text("dispute"), state or "draft", ticket, comment, granted)


def _buy_tokens(message: JsonFields) -> BuyTokens:
    packs: list[TokenPack] = []
    for entry in message.entries("packs"):
        pack = TokenPack(
            id=entry.text("id"),
            purchase=entry.text("purchase", required=False),
            team=entry.text("team"),
            tokens=entry.whole("tokens", least=1),
            purchased_at=entry.instant("purchased_at"),
            price=entry.optional_whole("price"),
        )
        entry.nothing_else()
        if pack.id in {other.id for other in packs}:
            entry.mistake("id", "is that of another pack of this purchase", "Give each pack an id of its own")
        packs.append(pack)
    return BuyTokens(tuple(packs))


def _credit_tokens(message: JsonFields) -> CreditTokens:
    return CreditTokens(
        message.text("team"),
        message.whole("tokens", least=1),
        message.prose("reason"),
        message.text("debit", required=False),
    )


def _tick(message: JsonFields) -> Tick:
    return Tick(message.instant("complete_until"))


_READERS: Final[Mapping[str, Callable[[JsonFields], Order]]] = {
    "assign": _assign,
    "release": _release,
    "checkout": _check_out,
    "checkin": _check_in,
    "close": _close,
    "void": _void,
    "unvoid": _unvoid,
    "dispute": _open_dispute,
    "dispute-state": _move_dispute,
    "buy-tokens": _buy_tokens,
    "credit-tokens": _credit_tokens,
    "tick": _tick,
}
