"""Commands: orders about an account, as messages of the topic ``commands`` (RULES 5, 6 and 7).

Their machine-readable form is ``schemas/events/command.v1.schema.json``. Reading is strict, since an order that is
misread costs money: a field that nobody knows is a mistake, and every mistake is told with its remedy. Users and
machines are folded on reading, so that the same order written with other letters is the same order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Final, cast, get_args

import orjson

from pipeline.codec.json_text import Json
from pipeline.codec.record_fields import FieldMistake, Fields
from pipeline.model.contracts import Model, TokenPack
from pipeline.model.orders import (
    KINDS,
    Assign,
    BuyTokens,
    CheckIn,
    CheckOut,
    Close,
    Command,
    CreditTokens,
    DisputeState,
    MoveDispute,
    OpenDispute,
    Order,
    Release,
    SeatModel,
    Tick,
    Unvoid,
    Void,
)

VERSION: Final = 1
COMMAND_BYTES_MAX: Final = 3 * 1024 * 1024
"""A closed statement lists what it holds; no command comes near this."""

_NAMES: Final = {"from_at": "from", "until_at": "until", "line_model": "model"}
"""Fields that are written as the contract's YAML and the statement name them."""
_KIND_OF: Final = {order: kind for kind, order in KINDS.items()}
_PERIOD: Final = re.compile(r"2[01]\d\dQ[1-4]")
_HASH: Final = re.compile(r"sha256:[0-9a-f]{64}")


class CommandInvalid(ValueError):
    """A message that is no command, with every mistake in it."""

    def __init__(self, mistakes: tuple[FieldMistake, ...]) -> None:
        self.mistakes = mistakes
        super().__init__("; ".join(map(str, mistakes)))


def kind_of(order: Order) -> str:
    """The name of an order on the wire."""
    return _KIND_OF[type(order)]


def encode(command: Command) -> bytes:
    """A command as its message, the same bytes for the same command; what is left out has no place in it."""
    record: dict[str, object] = {
        "v": VERSION,
        "id": command.id,
        "account": command.account,
        "kind": kind_of(command.order),
        "by": command.by,
        "issued_at": command.issued_at,
    }
    return orjson.dumps(record | _order_record(command.order))


def decode(value: bytes) -> Command:
    """Read a command's message. Raises ``CommandInvalid`` with every mistake in it."""
    if len(value) > COMMAND_BYTES_MAX:
        raise _whole(f"has {len(value):,} bytes", f"A command has {COMMAND_BYTES_MAX:,} at most")
    try:
        record = cast(Json, orjson.loads(value))
    except orjson.JSONDecodeError as error:
        raise _whole(f"is not JSON ({error})", "Write one JSON object") from error
    if not isinstance(record, dict):
        raise _whole("is not a JSON object", "Write one JSON object")
    read = Fields(record)
    if read.whole("v") != VERSION and type(record.get("v")) is int:
        read.wrong("v", f"version {record['v']!r} is not one that this program reads", f"Write {VERSION}")
    kind = read.choice("kind", KINDS)
    head = read.text("id"), read.text("account"), read.text("by"), read.instant("issued_at")
    order = _READERS[kind](read) if kind is not None else None
    if order is not None:
        read.nothing_else()
    if read.mistakes or order is None:
        raise CommandInvalid(tuple(read.mistakes))
    return Command(*head, order)


def _whole(reason: str, remedy: str) -> CommandInvalid:
    return CommandInvalid((FieldMistake("", f"the message {reason}", remedy),))


def _order_record(order: Order) -> dict[str, object]:
    record: dict[str, object] = {}
    for one in fields(order):
        value = getattr(order, one.name)
        if value is None or (value == "" and one.default is not MISSING):
            continue
        record[_NAMES.get(one.name, one.name)] = list(map(_pack_record, value)) if one.name == "packs" else value
    return record


def _pack_record(pack: TokenPack) -> dict[str, object]:
    return {one.name: value for one in fields(pack) if (value := getattr(pack, one.name)) not in {None, ""}}


def _assign(read: Fields) -> Assign:
    user, replaces = read.name("user"), read.name("replaces", required=False) or None
    if replaces is not None and replaces == user:
        read.wrong("replaces", "is the same user", "Name the user whose seat is taken over, or leave it out")
    return Assign(read.text("product"), read.text("country"), user, read.instant("at"), replaces, _seat_model(read))


def _release(read: Fields) -> Release:
    return Release(read.text("product"), read.text("country"), read.name("user"), read.instant("at"), _seat_model(read))


def _seat_model(read: Fields) -> SeatModel | None:
    choices: tuple[SeatModel, ...] = get_args(SeatModel)
    return read.choice("model", choices, required=False)


def _check_out(read: Fields) -> CheckOut:
    from_at, until_at = read.instant("from"), read.instant("until")
    _check_span(read, from_at, until_at)
    return CheckOut(
        read.text("product"), read.text("country"), read.name("user"), read.name("machine"), from_at, until_at
    )


def _check_in(read: Fields) -> CheckIn:
    return CheckIn(read.text("checkout"), read.instant("at"))


def _close(read: Fields) -> Close:
    statement = read.whole_text("statement")
    if statement and not _is_json_object(statement):
        read.wrong("statement", "is not the text of a JSON object", "Give the statement as JSON, as a text")
    return Close(
        period=read.matching("period", _PERIOD, "2022Q2"),
        contract=read.matching("contract", _HASH, "sha256: and 64 hex digits"),
        statement=statement,
        complete_until=read.optional_instant("complete_until"),
        silent_machines=read.whole("silent_machines"),
        forced=read.flag("forced"),
    )


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def _void(read: Fields) -> Void:
    """A session, or a machine or a user or both over a range; anything wider would be a slip of the hand."""
    from_at, until_at = read.optional_instant("from"), read.optional_instant("until")
    void = Void(
        reason=read.prose("reason"),
        session=read.text("session", required=False),
        product=read.text("product", required=False),
        machine=read.name("machine", required=False),
        user=read.name("user", required=False),
        from_at=from_at,
        until_at=until_at,
    )
    if void.session:
        for field in ("from", "until"):
            if read.has(field):
                read.wrong(field, "does not go with session, which is left out whole", "Remove it, or the session")
    elif not void.machine and not void.user:
        read.wrong("session", "is missing, and so are machine and user", "Say what to leave out")
    else:
        for field, at in (("from", from_at), ("until", until_at)):
            if at is None:
                read.wrong(field, "is missing", "Say over which range the machine or user is left out")
    if from_at is not None and until_at is not None:
        _check_span(read, from_at, until_at)
    return void


def _unvoid(read: Fields) -> Unvoid:
    return Unvoid(read.text("void"), read.prose("reason"))


def _open_dispute(read: Fields) -> OpenDispute:
    models: tuple[Model, ...] = get_args(Model)
    return OpenDispute(
        period=read.matching("period", _PERIOD, "2022Q2"),
        product=read.text("product"),
        country=read.text("country"),
        line_model=read.choice("model", models) or "",
        category=read.text("category"),
        amount=read.optional_whole("amount"),
        comment=read.prose("comment", required=False),
    )


def _move_dispute(read: Fields) -> MoveDispute:
    states: tuple[DisputeState, ...] = get_args(DisputeState)
    state, granted = read.choice("state", states), read.optional_whole("granted")
    if granted is not None and state != "granted":
        read.wrong("granted", "goes with the state granted alone", "Remove it, or correct the state")
    ticket, comment = read.text("ticket", required=False), read.prose("comment", required=False)
    return MoveDispute(read.text("dispute"), state or "draft", ticket, comment, granted)


def _buy_tokens(read: Fields) -> BuyTokens:
    packs: list[TokenPack] = []
    for entry in read.entries("packs"):
        pack = TokenPack(
            id=entry.text("id"),
            purchase=entry.text("purchase", required=False),
            team=entry.text("team"),
            tokens=entry.whole("tokens", least=1),
            purchased_at=entry.instant("purchased_at"),
            price=entry.optional_whole("price"),
        )
        entry.nothing_else()
        if pack.id in {one.id for one in packs}:
            entry.wrong("id", "is that of another pack of this purchase", "Give each pack an id of its own")
        packs.append(pack)
    return BuyTokens(tuple(packs))


def _credit_tokens(read: Fields) -> CreditTokens:
    return CreditTokens(
        read.text("team"), read.whole("tokens", least=1), read.prose("reason"), read.text("debit", required=False)
    )


def _tick(read: Fields) -> Tick:
    return Tick(read.instant("complete_until"))


def _check_span(read: Fields, from_at: int, until_at: int) -> None:
    if read.has("from") and read.has("until") and until_at <= from_at:
        read.wrong("until", "is not after from", "until is the first moment no longer meant: make it later than from")


_READERS: Final[Mapping[str, Callable[[Fields], Order]]] = {
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
