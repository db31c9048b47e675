"""Commands as messages: a round trip, and refusals with every mistake."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codec.topics.command_messages import COMMAND_BYTES_MAX, CommandInvalid, decode, encode
from pipeline.codec.topics.order_fields import order_kind
from pipeline.model.instants import EARLIEST_AT, LATEST_AT
from pipeline.model.orders import ORDER_KINDS, Assign, Order, Void
from tests.support.evidence.order_shorthand import AT, LATER, ORDERS, command
from tests.support.evidence.schema_examples import event_validator

SCHEMA = event_validator("command")
OUTSIDE = "lies outside the years 2000 to 2100"
WHOLE = "does not go with session, which is left out whole"
ALONE = "goes with the state granted alone"
UNKNOWN = "is not a field of this order"
SEAT = {"product": "STAAD", "country": "CZ", "user": "jana", "at": AT}
CHECKOUT = {"product": "MSTN", "country": "CZ", "user": "jana", "machine": "ws-9", "from": AT, "until": LATER}
CLOSE = {"period": "2022Q2", "contract": f"sha256:{'0' * 64}", "statement": "{}", "silent_machines": 0, "forced": False}
DISPUTE = {"period": "2022Q2", "product": "MSTN", "country": "CZ", "model": "pooled", "category": "over_pool"}
PACK = {"id": "P1", "team": "default", "tokens": 5, "purchased_at": AT}


def record(of: str, **fields: Any) -> dict[str, Any]:
    whole = {"v": 1, "id": "c1", "account": "acme", "kind": of, "by": "admin", "issued_at": AT, **fields}
    return {name: value for name, value in whole.items() if value is not ...}


def mistakes(value: object) -> list[str]:
    """The mistakes in a message, each as ``field: reason``; empty for a valid command."""
    try:
        decode(value if isinstance(value, bytes) else orjson.dumps(value))
    except CommandInvalid as error:
        return [f"{mistake.field}: {mistake.reason}" for mistake in error.mistakes if mistake.remedy]
    return []


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_a_command_survives_a_round_trip_and_matches_its_schema(order: Order) -> None:
    written = encode(command(order))
    assert decode(written) == command(order)
    assert SCHEMA.is_valid(orjson.loads(written))
    assert orjson.loads(written)["kind"] == order_kind(order)


def test_there_is_an_order_of_every_kind() -> None:
    assert {order_kind(order) for order in ORDERS} == set(ORDER_KINDS)


def test_only_users_and_machines_are_folded() -> None:
    read = decode(orjson.dumps(record("assign", **{**SEAT, "user": "JANA@Acme", "replaces": "PETR"})))
    assert isinstance(read.order, Assign)
    assert (read.order.user, read.order.replaces, read.order.product) == ("jana@acme", "petr", "STAAD")
    void = decode(orjson.dumps(record("void", reason="X", session="S1", product="P", machine="WS-9", user="Eva")))
    assert void.order == Void("X", "S1", "P", "ws-9", "eva")


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (record("assign", **SEAT, v=2), ["v: version 2 is not one that this program reads"]),
        (record("assign", **SEAT, v=True), ["v: is True"]),
        (record("assign", **SEAT, v=...), ["v: is missing"]),
        (record("assign", **SEAT, id=...), ["id: is missing"]),
        (record("assign", **SEAT, id=None), ["id: is missing"]),
        (record("assign", **SEAT, account=""), ["account: has 0 characters"]),
        (record("assign", **SEAT, by=7), ["by: is 7"]),
        (record("assign", **SEAT, issued_at=AT // 1000), [f"issued_at: {AT // 1000} {OUTSIDE}"]),
        (record("assign", **SEAT, kind="give"), ["kind: is 'give'"]),
        (record("assign", **SEAT, kind=...), ["kind: is missing"]),
        (record("assign", **{**SEAT, "product": "x" * 201}), ["product: has 201 characters"]),
        (record("assign", **{**SEAT, "user": "ja\x85na"}), ["user: holds a control character"]),
        (record("assign", **{**SEAT, "at": "2022-05-03"}), ["at: is '2022-05-03'"]),
        (record("assign", **{**SEAT, "at": 1.5}), ["at: is 1.5"]),
        (record("assign", **SEAT, replaces="JANA"), ["replaces: is the same user"]),
        (record("assign", **SEAT, model="named"), ["model: is 'named'"]),
        (record("assign", **SEAT, replace="petr"), [f"replace: {UNKNOWN}"]),
        (record("release", **{**SEAT, "user": ...}), ["user: is missing"]),
        (record("checkout", **{**CHECKOUT, "until": AT}), ["until: is not after from"]),
        (record("checkout", **{**CHECKOUT, "machine": None}), ["machine: is missing"]),
        (record("checkin", checkout=5, at=AT), ["checkout: is 5"]),
        (record("close", **{**CLOSE, "period": "2022Q5"}), ["period: is '2022Q5'"]),
        (record("close", **{**CLOSE, "contract": "abc"}), ["contract: is 'abc'"]),
        (record("close", **{**CLOSE, "statement": {}}), ["statement: is {}"]),
        (record("close", **{**CLOSE, "statement": "[]"}), ["statement: is not the text of a JSON object"]),
        (record("close", **{**CLOSE, "silent_machines": -1}), ["silent_machines: is -1"]),
        (record("close", **{**CLOSE, "forced": 1}), ["forced: is 1"]),
        (record("close", **CLOSE, complete_until=0), [f"complete_until: 0 {OUTSIDE}"]),
        (record("void", reason="x"), ["session: is missing, and so are machine and user"]),
        (record("void", session="s"), ["reason: is missing"]),
        (record("void", reason="a\tb", session="s"), ["reason: holds a control character"]),
        (record("void", reason="x", machine="m"), ["from: is missing", "until: is missing"]),
        (record("void", reason="x", user="u", **{"from": AT}), ["until: is missing"]),
        (record("void", reason="x", user="u", **{"from": AT, "until": AT}), ["until: is not after from"]),
        (
            record("void", reason="x", session="s", **{"from": AT, "until": LATER}),
            [f"from: {WHOLE}", f"until: {WHOLE}"],
        ),
        (record("unvoid", void="v"), ["reason: is missing"]),
        (record("dispute", **{**DISPUTE, "model": "leased"}), ["model: is 'leased'"]),
        (record("dispute", **DISPUTE, amount=-1), ["amount: is -1"]),
        (record("dispute", **DISPUTE, comment="x" * 2001), ["comment: has 2,001 characters"]),
        (record("dispute-state", dispute="d", state="lost"), ["state: is 'lost'"]),
        (record("dispute-state", dispute="d", state="refused", granted=1), [f"granted: {ALONE}"]),
        (record("buy-tokens", packs=[]), ["packs: is []"]),
        (record("buy-tokens", packs=[PACK, 7]), ["packs[1]: is 7"]),
        (record("buy-tokens", packs=[{**PACK, "tokens": 0}]), ["packs[0].tokens: is 0"]),
        (record("buy-tokens", packs=[{**PACK, "x": 1}]), [f"packs[0].x: {UNKNOWN}"]),
        (record("buy-tokens", packs=[PACK, PACK]), ["packs[1].id: is that of another pack of this purchase"]),
        (record("buy-tokens", packs=[{**PACK, "price": 2**53}]), [f"packs[0].price: is {2**53}"]),
        (record("credit-tokens", team="t", tokens=-7, reason="x"), ["tokens: is -7"]),
        (record("tick", complete_until=LATEST_AT + 1), [f"complete_until: {LATEST_AT + 1} {OUTSIDE}"]),
        (record("tick"), ["complete_until: is missing"]),
    ],
)  # fmt: skip
def test_every_mistake_is_reported_with_its_field(broken: dict[str, Any], expected: list[str]) -> None:
    assert mistakes(broken) == expected


def test_all_mistakes_of_a_message_are_reported_at_once() -> None:
    reasons = mistakes(record("checkout", id=..., by=1, **{**CHECKOUT, "user": "", "until": 5}))
    assert [reason.partition(":")[0] for reason in reasons] == ["id", "by", "until", "until", "user"]


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff", b'{"v": NaN}'])
def test_a_command_is_a_json_object(value: bytes) -> None:
    [reason] = mistakes(value)
    assert reason.startswith(": the message is not")


def test_a_message_that_is_too_large_is_refused_without_parsing() -> None:
    assert mistakes(b" " * (COMMAND_BYTES_MAX + 1)) == [f": the message has {COMMAND_BYTES_MAX + 1:,} bytes"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@given(order=st.sampled_from(ORDERS), data=st.data())
def test_any_value_of_a_field_is_read_or_reported_as_a_mistake(order: Order, data: st.DataObject) -> None:
    fields = orjson.loads(encode(command(order)))
    field = data.draw(st.sampled_from(sorted(fields)))
    fields[field] = data.draw(JSON)
    if not mistakes(fields):
        assert encode(decode(orjson.dumps(fields))) == encode(decode(encode(decode(orjson.dumps(fields)))))


@pytest.mark.parametrize("at", [EARLIEST_AT, LATEST_AT])
def test_the_first_and_the_last_instant_are_accepted(at: int) -> None:
    assert mistakes(record("tick", complete_until=at)) == []
