"""What disputes have granted, line by line."""

from __future__ import annotations

from pipeline.model.commands import Command, DisputeState, Logged, MoveDispute, OpenDispute, Order
from pipeline.rules.adjustments import LineId
from pipeline.rules.credits import granted

MSTN, ORD = LineId("MSTN", "CZ", "pooled"), LineId("ORD", "CZ", "pooled")


def log(*orders: tuple[str, Order]) -> list[Logged]:
    return [Logged(Command(id_, "acme", "eva", 0, order), 0) for id_, order in orders]


def opened(product: str = "MSTN", period: str = "2022Q2") -> OpenDispute:
    return OpenDispute(period, product, "CZ", "pooled", "cancellation", None)


def moved(dispute: str, state: DisputeState = "granted", amount: int | None = 500) -> MoveDispute:
    return MoveDispute(dispute, state, granted=amount)


def test_only_what_is_granted_counts() -> None:
    for state in ("draft", "submitted", "answered", "refused"):
        assert granted(log(("d", opened()), ("m", moved("d", state)))) == {}
    assert granted(log(("d", opened()), ("m", moved("d")))) == {"2022Q2": {MSTN: 500}}


def test_the_latest_word_on_a_dispute_stands() -> None:
    again = log(("d", opened()), ("m", moved("d")), ("n", moved("d", amount=700)))
    assert granted(again) == {"2022Q2": {MSTN: 700}}
    assert granted([*again, *log(("o", moved("d", "refused")))]) == {}


def test_disputes_of_a_line_add_up_and_lines_and_quarters_stay_apart() -> None:
    found = granted(
        log(
            *((name, opened()) for name in "ab"), ("c", opened("ORD")), ("e", opened(period="2022Q3")),
            *((f"m{name}", moved(name)) for name in "abce"),
        )
    )  # fmt: skip
    assert found == {"2022Q2": {MSTN: 1_000, ORD: 500}, "2022Q3": {MSTN: 500}}


def test_a_word_on_a_dispute_that_nobody_opened_grants_nothing() -> None:
    assert granted(log(("m", moved("d")), ("d", opened()))) == {}
