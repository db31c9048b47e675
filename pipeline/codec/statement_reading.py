"""A statement read back from its JSON: what a close froze (RULES 7).

Written again it is the same JSON. Only instants lose what the interface leaves out: they are whole seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Protocol, TypedDict, TypeVar, cast

import orjson
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from pipeline.codec.schema_folder import schema_folder
from pipeline.model.contracts import Model
from pipeline.model.instants import Period, at_datetime
from pipeline.model.money import minor_digits
from pipeline.model.statements import (
    Adjustment,
    AdjustmentKind,
    Basis,
    ChargedWindow,
    FlexLine,
    Line,
    PooledLine,
    SeatLine,
    Statement,
    TokenBlock,
    VoidEntry,
)

Fields = Mapping[str, object]
Value = TypeVar("Value")


class _Failure(Protocol):
    message: str
    json_path: str


class _Validator(Protocol):
    def iter_errors(self, instance: object) -> list[_Failure]: ...


class _Told(TypedDict):
    """The parts of a statement, once the schema has taken it."""

    account: str
    period: str
    state: str
    currency: str
    basis: Fields
    lines: list[Fields]
    tokens: dict[str, int]
    adjustments: list[Fields]
    voids: list[Fields]


def read_statement_json(text: bytes | str) -> Statement:
    """The statement that ``statement_json`` wrote. Raises ``ValueError`` for anything that the schema refuses."""
    told = orjson.loads(text)
    for failure in _validator().iter_errors(told):
        raise ValueError(f"{failure.json_path}: {failure.message[:200]}")
    return _statement(cast(_Told, told))


def _statement(told: _Told) -> Statement:
    currency = told["currency"]
    tokens = TokenBlock(*(told["tokens"][name] for name in ("granted", "debited", "expired", "balance")))
    return Statement(
        account=told["account"],
        period=Period.parse(told["period"]),
        currency=currency,
        lines=tuple(_line(one, currency) for one in told["lines"]),
        basis=_basis(told["basis"]),
        state="closed" if told["state"] == "closed" else "open",
        tokens=None if tokens == TokenBlock(0, 0, 0, 0) else tokens,
        adjustments=tuple(_adjustment(one, currency) for one in told["adjustments"]),
        voids=tuple(_void(one) for one in told["voids"]),
    )


def _line(told: Fields, currency: str) -> Line:
    product, country, policy = (cast(str, told[name]) for name in ("product", "country", "policy"))
    match told["model"]:
        case "pooled":
            return _pooled(told, product, country, policy, currency)
        case "flex":
            windows = cast(list[Fields], told["windows"])
            charges, tokens, uncovered = (cast(int, told[name]) for name in ("charges", "tokens", "uncovered"))
            return FlexLine(
                product, country, policy, charges, tokens, uncovered, tuple(_window(one) for one in windows)
            )
        case model:
            return SeatLine(
                product,
                country,
                "named" if model == "named" else "practitioner" if model == "practitioner" else "single_user",
                policy,
                cast(int, told["entitled"]),
                tuple(cast(list[str], told["users"])),
                cast(int, told["overflow"]) if "overflow" in told else None,
            )


def _pooled(told: Fields, product: str, country: str, policy: str, currency: str) -> PooledLine:
    return PooledLine(
        product=product,
        country=country,
        policy=policy,
        entitled=cast(int, told["entitled"]),
        peak=cast(int, told["peak"]),
        peak_slots=tuple(_instant(one) for one in cast(list[str], told["peak_slots"])),
        overuse=cast(int, told["overuse"]),
        overuse_slots=tuple(_instant(one) for one in cast(list[str], told["overuse_slots"])),
        overuse_days=cast(int, told["overuse_days"]),
        term_licenses=cast(int, told["term_licenses"]),
        unit_price=_unless_null(told["unit_price"], lambda text: _money(text, currency)),
        amount=_unless_null(told["amount"], lambda text: _money(text, currency)),
    )


def _window(told: Fields) -> ChargedWindow:
    return ChargedWindow(
        cast(str, told["user"]), _instant(told["start"]), cast(int, told["tokens"]), cast(int, told["uncovered"])
    )


def _adjustment(told: Fields, currency: str) -> Adjustment:
    return Adjustment(
        period=Period.parse(cast(str, told["period"])).name,
        kind=cast(AdjustmentKind, told["kind"]),
        product=cast(str, told["product"]),
        country=cast(str, told["country"]),
        model=cast(Model, told["model"]),
        before=_money(told["before"], currency),
        after=_money(told["after"], currency),
    )


def _void(told: Fields) -> VoidEntry:
    texts = {name: cast(str, told[name]) for name in ("id", "by", "reason", "session", "product", "machine", "user")}
    return VoidEntry(
        at=_instant(told["at"]),
        from_at=_unless_null(told["from"], _instant),
        until_at=_unless_null(told["until"], _instant),
        **texts,
    )


def _basis(told: Fields) -> Basis:
    return Basis(
        complete_until=_unless_null(told["complete_until"], _instant),
        heartbeats=cast(int, told["heartbeats"]),
        dead_letters=cast(int, told["dead_letters"]),
        contract=cast(str, told["contract"]),
        seatbeat=cast(str, told["seatbeat"]),
        engine="embedded" if told["engine"] == "embedded" else "server",
    )


def _unless_null(value: object, read: Callable[[object], Value]) -> Value | None:
    return None if value is None else read(value)


def _instant(text: object) -> int:
    return at_datetime(datetime.fromisoformat(str(text)))


def _money(text: object, currency: str) -> int:
    """What ``format_money`` wrote, of any size and sign. Raises ``ValueError`` for another precision."""
    whole, _, decimals = str(text).partition(".")
    if len(decimals) != minor_digits(currency):
        raise ValueError(f"{text} is not an amount of {currency}, which has {minor_digits(currency)} decimals")
    return int(whole + decimals)


@cache
def _validator() -> _Validator:
    schema = orjson.loads((schema_folder() / "statement.v1.schema.json").read_bytes())
    integers = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    validator = extend(Draft202012Validator, type_checker=integers)
    # Named dialects bring their own validator for what they refer to, which would take 1.0 for an integer.
    return cast(_Validator, validator({name: value for name, value in schema.items() if name != "$schema"}))
