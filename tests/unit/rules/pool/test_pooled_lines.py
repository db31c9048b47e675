"""The shape of a pooled line (RULES 3.4 and 4; INTERFACES, Statement)."""

from __future__ import annotations

import pytest

from pipeline.model.contracts import Contract, Entitlement, Product
from pipeline.model.instants import DAY_MS, HOUR_MS, Period
from pipeline.model.statements import Basis, PooledLine, Statement
from pipeline.policy.timeline import BeforeFirstRow
from pipeline.rules.pool.pooled_lines import SLOTS_SHOWN_MAX, pooled_line, pooled_lines
from pipeline.rules.pool.reading import ContractReading
from tests.support.evidence.random_fleets import reading_of

PERIOD = Period.parse("2022Q2")
SLOT = PERIOD.start_at + 9 * HOUR_MS


def seats(
    quantity: int, from_at: int = PERIOD.start_at, until_at: int | None = None, product: str = "A"
) -> Entitlement:
    return Entitlement((product,), "CZ", "pooled", "bentley-select", quantity, from_at, until_at)


def reading(*entitlements: Entitlement, unit_price: int | None = 100) -> ContractReading:
    products = {"A": Product("A", unit_price=unit_price)}
    return reading_of(Contract("acme", "CZ", "EUR", "", products=products, entitlements=entitlements))


def line(terms: ContractReading, counts: dict[int, int]) -> PooledLine:
    return pooled_line(terms, "A", "CZ", PERIOD, counts)


def test_a_line_without_use_has_the_entitlement_and_policy_at_the_periods_start() -> None:
    counted = line(reading(seats(2, until_at=PERIOD.start_at + DAY_MS), seats(3)), {})
    assert (counted.entitled, counted.peak, counted.peak_slots) == (5, 0, ())
    assert (counted.overuse, counted.overuse_slots, counted.overuse_days) == (0, (), 0)
    assert (counted.term_licenses, counted.unit_price, counted.amount, counted.model) == (0, 100, 0, "pooled")
    assert counted.policy == "bentley-select@2016-04-01"


def test_the_entitlement_of_a_line_is_that_of_the_first_peak_slot() -> None:
    counted = line(
        reading(seats(2), seats(3, PERIOD.start_at + DAY_MS)), {SLOT: 4, SLOT + DAY_MS: 4, SLOT - HOUR_MS: 1}
    )
    assert (counted.entitled, counted.peak, counted.peak_slots) == (2, 4, (SLOT, SLOT + DAY_MS))
    assert (counted.overuse, counted.overuse_slots) == (2, (SLOT,))


def test_only_the_first_hundred_slots_are_listed() -> None:
    counts = {SLOT + number * DAY_MS // 144: 2 for number in range(150, 0, -1)}
    counted = line(reading(seats(1)), counts)
    assert counted.peak_slots == counted.overuse_slots == tuple(sorted(counts)[:SLOTS_SHOWN_MAX])
    assert len(counted.peak_slots) == 100


def test_slots_beyond_the_hundred_told_count_all_the_same() -> None:
    counts = {PERIOD.start_at + number * HOUR_MS: 2 for number in range(300)}
    assert line(reading(seats(1)), counts).overuse_days == 300 // 24 + 1


def test_overuse_days_count_overuse_of_any_height() -> None:
    counts = {SLOT: 2, SLOT + 1 * DAY_MS: 9, SLOT + 2 * DAY_MS: 1, SLOT + 2 * DAY_MS + HOUR_MS: 3}
    counted = line(reading(seats(1)), counts)
    assert (counted.overuse, counted.overuse_slots, counted.overuse_days) == (8, (SLOT + DAY_MS,), 3)


def test_what_has_no_price_has_no_amount_even_where_nothing_is_due() -> None:
    assert line(reading(seats(1), unit_price=None), {SLOT: 1}).amount is None
    assert line(reading(seats(1), unit_price=None), {SLOT: 2}).amount is None
    assert line(reading_of(Contract("acme", "CZ", "EUR", "")), {SLOT: 2}).unit_price is None


def test_lines_under_a_policy_without_term_licences_cost_nothing() -> None:
    for unit_price in (100, None):
        e365 = Entitlement(("A",), "CZ", "pooled", "bentley-e365", 1, PERIOD.start_at, None)
        counted = line(reading(e365, unit_price=unit_price), {SLOT: 4})
        assert (counted.overuse, counted.term_licenses, counted.unit_price, counted.amount) == (3, 0, unit_price, 0)


def test_there_is_a_line_for_every_pool_with_an_entitlement_in_the_period_or_use() -> None:
    lines = pooled_lines(
        reading(
            seats(1, product="ENDED", until_at=PERIOD.start_at),
            seats(1, product="ENDING", from_at=PERIOD.start_at - DAY_MS, until_at=PERIOD.start_at + DAY_MS),
            seats(1, product="BEGINNING", from_at=PERIOD.end_at - DAY_MS),
            seats(1, product="LATER", from_at=PERIOD.end_at),
        ),
        PERIOD,
        {("USED", "SK"): {SLOT: 1}, ("UNUSED", "CZ"): {}, ("ENDING", "SK"): {SLOT: 1}},
    )
    assert [(pooled.product, pooled.country) for pooled in lines] == [
        ("BEGINNING", "CZ"),
        ("ENDING", "CZ"),
        ("ENDING", "SK"),
        ("USED", "SK"),
    ]


def test_a_period_of_which_the_policy_says_nothing_is_an_error() -> None:
    with pytest.raises(BeforeFirstRow):
        pooled_line(reading(), "A", "CZ", Period.parse("2005Q4"), {})


def test_the_total_leaves_out_lines_without_an_amount() -> None:
    lines = (line(reading(seats(1)), {SLOT: 3}), line(reading(seats(1), unit_price=None), {SLOT: 3}))
    basis = Basis(None, 0, 0, "", "", "embedded")
    assert Statement("acme", PERIOD, "EUR", lines, basis).total == 200
