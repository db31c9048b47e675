"""The first command with an id stands; the same order again is ignored, another order is a conflict."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.orders import Command, Void
from pipeline.rules.orders.first_of_id import first_of_each
from tests.support.evidence.order_shorthand import AT, command, logged

ONE, OTHER = Void("x", session="s1"), Void("x", session="s2")


def ids(log: list[Command]) -> tuple[list[str], list[str]]:
    firsts, conflicts = first_of_each(logged(*log))
    return [first.command.id for first in firsts], [conflict.id for conflict in conflicts]


def test_the_same_order_again_is_ignored() -> None:
    again = [command(ONE, "a"), command(ONE, "a"), command(ONE, "a", by="somebody else", issued_at=AT + 1)]
    assert ids(again) == (["a"], [])
    assert first_of_each(logged(*again))[0][0].received_at == AT


def test_another_order_under_a_used_id_is_a_conflict() -> None:
    firsts, conflicts = first_of_each(logged(command(ONE, "a"), command(OTHER, "a"), command(OTHER, "b")))
    assert [first.command.order for first in firsts] == [ONE, OTHER]
    assert [(conflict.id, conflict.code) for conflict in conflicts] == [("a", "conflict")]
    assert "the id a stands for another order already" in conflicts[0].sentence


def test_a_conflict_that_is_delivered_twice_is_listed_once() -> None:
    assert ids([command(ONE, "a"), command(OTHER, "a"), command(ONE, "a"), command(OTHER, "a")]) == (["a"], ["a"])


ORDERS = st.builds(command, st.sampled_from((ONE, OTHER)), st.sampled_from("abc"))


@given(log=st.lists(ORDERS), data=st.data())
def test_repeated_deliveries_change_nothing(log: list[Command], data: st.DataObject) -> None:
    again = [*log]
    for _ in range(data.draw(st.integers(0, 3)) if log else 0):
        at = data.draw(st.integers(1, len(again)))
        again.insert(at, replace(data.draw(st.sampled_from(again[:at])), by="the broker, again"))
    assert ids(again) == ids(log)
