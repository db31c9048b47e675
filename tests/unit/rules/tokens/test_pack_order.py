"""Pack order: which packs pay a debit, in which order, and how long they are valid (RULES 6)."""

from __future__ import annotations

import random

from pipeline.model.instants import DAY_MS
from pipeline.model.ledger_entries import Part
from pipeline.rules.tokens.pack_order import Pack, Payment, expires_at, pay
from tests.support.evidence.evidence_shorthand import instant

BOUGHT_AT = instant("2022-01-10 00:00")
NOW = instant("2022-05-02 08:00")


def pack(
    id_: str, tokens: int, *, expires: int = 365, purchased: int = 0, left: int | None = None, team: str = "default"
) -> Pack:
    """A pack bought ``purchased`` days after the tenth of January that expires ``expires`` days after it."""
    purchased_at, ends_at = BOUGHT_AT + purchased * DAY_MS, BOUGHT_AT + expires * DAY_MS
    return Pack(id_, team, tokens, purchased_at, ends_at, tokens if left is None else left)


def pay_from(*packs: Pack, rate: int = 7) -> Payment:
    return pay({"default": sorted(packs, key=lambda each: each.order)}, rate, NOW)


def test_a_pack_expires_on_the_same_date_a_year_later_and_on_28_february_for_the_29th() -> None:
    assert expires_at(instant("2022-01-10 13:30")) == instant("2023-01-10 13:30")
    assert expires_at(instant("2024-02-29 00:00")) == instant("2025-02-28 00:00")
    assert expires_at(instant("2023-02-28 00:00")) == instant("2024-02-28 00:00")
    assert expires_at(instant("2023-03-01 00:00")) == instant("2024-03-01 00:00")


def test_the_first_to_expire_pays_then_the_smallest_then_the_first_bought_then_the_first_by_id() -> None:
    in_order = [
        pack("expires-first", 5_000, expires=364, purchased=9),
        pack("smallest", 500, purchased=9),
        pack("bought-first", 5_000, purchased=1),
        pack("id-a", 5_000, purchased=2),
        pack("id-b", 5_000, purchased=2),
    ]
    shuffled = random.Random(6).sample(in_order, len(in_order))  # noqa: S311  (an order to be undone, not a secret)
    assert sorted(shuffled, key=lambda each: each.order) == in_order


def test_packs_are_compared_by_purchased_tokens_not_by_remaining_tokens() -> None:
    assert pay_from(pack("large", 5_000, left=8), pack("small", 500)).parts == (Part("small", 7),)


def test_a_debit_may_span_packs() -> None:
    payment = pay_from(pack("A", 5, expires=300), pack("B", 100))
    assert (payment.parts, payment.uncovered) == ((Part("A", 5), Part("B", 2)), 0)


def test_tokens_that_the_packs_cannot_pay_are_uncovered() -> None:
    payment = pay_from(pack("A", 5))
    assert (payment.parts, payment.uncovered) == ((Part("A", 5),), 2)


def test_only_packs_that_are_valid_at_the_windows_start_pay() -> None:
    ended = Pack("ended", "default", 500, BOUGHT_AT, NOW, 500)
    later = Pack("later", "default", 500, NOW + 1, NOW + DAY_MS, 500)
    just_bought = Pack("just-bought", "default", 500, NOW, NOW + DAY_MS, 500)
    assert pay_from(ended, later) == Payment("default", (), 7)
    assert pay_from(ended, later, just_bought).parts == (Part("just-bought", 7),)


def test_the_team_that_can_pay_in_full_pays_and_of_several_the_first_to_expire() -> None:
    by_team = {
        "a": [pack("a", 500, expires=300, team="a")],
        "b": [pack("b", 500, expires=200, team="b")],
        "poor": [pack("poor", 5, expires=150, team="poor")],
    }
    assert pay(by_team, 7, NOW).team == "b"
    assert pay({team: by_team[team] for team in ("a", "poor")}, 7, NOW).team == "a"
    assert pay({"z": [], "y": []}, 7, NOW) == Payment("y", (), 7)
