"""Which close freezes a quarter, and why others are refused."""

from __future__ import annotations

import pytest

from pipeline.model.contracts import Contract
from pipeline.model.instants import DAY_MS, Period
from pipeline.model.orders import Assign, Close, Command, Logged, Order
from pipeline.model.statements import Basis, Statement
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.orders.outcomes import outcomes
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement.adjustments import carrier_of
from pipeline.rules.statement.closes import Closes, read_closes

Q2 = Period.parse("2022Q2")
AFTER = Q2.end_at + DAY_MS


def statement(text: str) -> Statement:
    """A statement whose text is ``account period``."""
    if text == "nonsense":
        raise ValueError("no statement at all")
    account, period = text.split()
    basis = Basis(None, 0, 0, "sha256:a", "0", "embedded")
    return Statement(account, Period.parse(period), "EUR", (), basis)


def logged(id_: str, order: Order, issued_at: int = AFTER, by: str = "eva") -> Logged:
    return Logged(Command(id_, "acme", by, issued_at, order), issued_at + 5)


def close(
    period: str = "2022Q2", text: str = "", complete_until: int | None = Q2.end_at, *, forced: bool = False
) -> Close:
    return Close(period, "sha256:a", text or f"acme {period}", complete_until, 0, forced)


def closes(*commands: Logged) -> Closes:
    return read_closes(commands, statement)


def codes(judged: Closes) -> list[tuple[str, str]]:
    return [(refusal.id, refusal.code) for refusal in judged.refused]


def test_the_first_close_in_log_order_wins() -> None:
    judged = closes(logged("late", close(), AFTER + 9), logged("early", close(), AFTER, by="petr"))
    assert [(closed.id, closed.command.by) for closed in judged.quarters.values()] == [("late", "eva")]
    assert codes(judged) == [("early", "already_closed")]
    sentence = judged.refused[0].sentence
    assert sentence == "2022Q2 was closed by eva at 2022-07-02T00:00:00Z (late): the first close stands."


def test_every_quarter_has_its_own_close_and_closes_are_sorted_by_quarter() -> None:
    judged = closes(logged("b", close()), logged("a", close("2022Q1")))
    assert [(name, quarter.id) for name, quarter in judged.quarters.items()] == [("2022Q1", "a"), ("2022Q2", "b")]
    assert judged.refused == ()


def test_a_frozen_statement_is_closed_and_has_the_position_of_its_close() -> None:
    seat = Assign("STAAD", "CZ", "jana", 0)
    quarter = closes(logged("1", seat), logged("2", seat), logged("3", close()), logged("4", seat)).quarters["2022Q2"]
    assert (quarter.statement.state, quarter.position, quarter.period) == ("closed", 2, Q2)


@pytest.mark.parametrize(("before_ms", "refused"), [(1, True), (0, False), (-1, False)])
def test_a_close_that_is_issued_before_the_quarters_end_is_refused(before_ms: int, refused: bool) -> None:
    judged = closes(logged("c", close(), Q2.end_at - before_ms))
    assert codes(judged) == ([("c", "not_over")] if refused else [])
    assert [refusal.possible_at for refusal in judged.refused] == [Q2.end_at] * refused


@pytest.mark.parametrize("complete_until", [None, 0, Q2.end_at - 1])
def test_an_incomplete_quarter_is_closed_only_by_force(complete_until: int | None) -> None:
    judged = closes(logged("c", close(complete_until=complete_until)))
    assert codes(judged) == [("c", "incomplete")]
    forced = closes(logged("c", close(complete_until=complete_until, forced=True)))
    assert forced.quarters["2022Q2"].close.forced
    assert forced.refused == ()


def test_force_does_not_close_a_quarter_that_is_not_over() -> None:
    assert codes(closes(logged("c", close(forced=True), Q2.end_at - 1))) == [("c", "not_over")]


def test_a_refused_close_does_not_prevent_the_next_close() -> None:
    judged = closes(logged("a", close(complete_until=None)), logged("b", close()), logged("c", close()))
    assert [quarter.id for quarter in judged.quarters.values()] == ["b"]
    assert codes(judged) == [("a", "incomplete"), ("c", "already_closed")]


@pytest.mark.parametrize("text", ["nonsense", "other 2022Q2", "acme 2022Q1"])
def test_a_close_without_a_valid_statement_of_its_own_is_refused(text: str) -> None:
    judged = closes(logged("c", close(text=text)), logged("d", close()))
    assert codes(judged) == [("c", "no_statement")]
    assert judged.quarters["2022Q2"].id == "d"


def test_a_close_of_something_other_than_a_quarter_is_refused() -> None:
    assert codes(closes(logged("c", close("2022Q5", text="acme 2022Q2")))) == [("c", "not_a_quarter")]


@pytest.mark.parametrize(
    ("period", "closed", "carrier"),
    [
        ("2022Q2", ["2022Q2"], "2022Q3"),
        ("2022Q2", ["2022Q2", "2022Q3", "2022Q4"], "2023Q1"),
        ("2022Q2", ["2022Q1", "2022Q2", "2022Q4"], "2022Q3"),
    ],
)
def test_adjustments_are_on_the_earliest_open_quarter_after(period: str, closed: list[str], carrier: str) -> None:
    assert carrier_of(Period.parse(period), closed).name == carrier


def test_each_close_in_the_log_has_its_outcome() -> None:
    log = [logged("a", close(complete_until=None)), logged("b", close()), logged("b", close()), logged("c", close())]
    reading = ContractReading(Contract("acme", "CZ", "EUR", "sha256:a"), metering_catalogue())
    statuses = [
        (outcome.logged.command.id, outcome.status, outcome.refused.code if outcome.refused else None)
        for outcome in outcomes(reading, log, statement)
    ]
    assert statuses == [
        ("a", "refused", "incomplete"),
        ("b", "accepted", None),
        ("b", "known", None),
        ("c", "refused", "already_closed"),
    ]
