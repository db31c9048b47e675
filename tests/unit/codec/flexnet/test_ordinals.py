"""Ordinals of checkouts that are alike."""

from __future__ import annotations

from pipeline.codec.flexnet.ordinals import REMEMBERED_MIN, Ordinals
from pipeline.model.instants import DAY_MS


def test_each_of_a_kind_in_an_instant_has_the_next_number() -> None:
    ordinals = Ordinals()
    assert [ordinals.take("a", 1, 2), ordinals.take("a", 1, 1), ordinals.take("b", 1, 1), ordinals.take("a", 2, 1)] == [
        0, 2, 0, 0,
    ]  # fmt: skip
    assert ordinals.take("a", 1, 1) == 3


def test_what_lies_more_than_a_day_back_is_forgotten() -> None:
    ordinals = Ordinals()
    for number in range(REMEMBERED_MIN):
        ordinals.take(str(number), 1, 1)
    assert len(ordinals) == REMEMBERED_MIN
    ordinals.take("x", DAY_MS + 1, 1)
    assert len(ordinals) == 1


def test_a_day_with_more_checkouts_than_are_remembered_is_not_looked_through_at_each_of_them() -> None:
    ordinals = Ordinals()
    for number in range(3 * REMEMBERED_MIN):
        ordinals.take(str(number), number, 1)
    assert ordinals.tidied == 2
    assert ordinals.take("0", 0, 1) == 1
