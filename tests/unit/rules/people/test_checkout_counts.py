"""Checkout counts: a licence taken offline counts in every slot that overlaps its range (RULES 5)."""

from __future__ import annotations

from typing import Final

import pytest

from pipeline.model.contracts import Contract, Entitlement
from pipeline.model.instants import HOUR_MS, MINUTE_MS, Period
from pipeline.rules.people.checkout_counts import checkout_unit, checkout_uses, offline_spans
from pipeline.rules.people.checkouts import TakenOut
from pipeline.rules.people.waterfall import units_by_slot
from pipeline.rules.pool.reading import ContractReading
from tests.support.evidence.evidence_shorthand import instant
from tests.support.evidence.random_fleets import reading_of

QUARTER: Final = Period.parse("2022Q2")
NOON: Final = instant("2022-05-03 12:00")
MIDNIGHT: Final = instant("2022-05-03 00:00")


def reading(policy: str = "bentley-select") -> ContractReading:
    seat = Entitlement(("MSTN",), "CZ", "pooled", policy, 1, instant("2022-01-01 00:00"), None)
    return reading_of(Contract("acme", "CZ", "EUR", "", entitlements=(seat,)))


def taken(from_at: int, until_at: int, id_: str = "c1", machine: str = "pc1") -> TakenOut:
    return TakenOut(id_, "MSTN", "CZ", "petr", machine, from_at, until_at)


def slots(by: ContractReading, *checkouts: TakenOut, period: Period = QUARTER) -> dict[int, int]:
    return units_by_slot(checkout_uses(by, checkouts, period)).get(("MSTN", "CZ"), {})


def test_a_checkout_counts_day_and_night_from_its_first_slot_on() -> None:
    assert slots(reading(), taken(MIDNIGHT, MIDNIGHT + 24 * HOUR_MS)) == {
        MIDNIGHT + number * 10 * MINUTE_MS: 1 for number in range(144)
    }


@pytest.mark.parametrize(
    ("from_ms", "until_ms", "minutes"),
    [(5 * MINUTE_MS, 25 * MINUTE_MS, [0, 10, 20]), (0, 10 * MINUTE_MS, [0]), (9 * MINUTE_MS, 9 * MINUTE_MS + 1, [0])],
)
def test_a_checkout_counts_in_every_slot_that_it_overlaps(from_ms: int, until_ms: int, minutes: list[int]) -> None:
    counted = slots(reading(), taken(NOON + from_ms, NOON + until_ms))
    assert [(slot_at - NOON) // MINUTE_MS for slot_at in counted] == minutes


def test_a_checkout_counts_only_in_slots_that_start_in_the_quarter() -> None:
    over = taken(QUARTER.end_at - 15 * MINUTE_MS, QUARTER.end_at + HOUR_MS)
    assert [*slots(reading(), over)] == [QUARTER.end_at - 20 * MINUTE_MS, QUARTER.end_at - 10 * MINUTE_MS]
    after = Period.parse("2022Q3")
    assert len(slots(reading(), over, period=after)) == 6
    assert [*offline_spans(reading(), [taken(NOON, NOON + HOUR_MS)], after)] == []


def test_two_checkouts_on_a_machine_count_once_under_a_policy_that_counts_machines() -> None:
    both = taken(NOON, NOON + 10 * MINUTE_MS), taken(NOON, NOON + 10 * MINUTE_MS, "c2")
    assert slots(reading(), *both) == {NOON: 1}


def test_each_checkout_counts_by_itself_under_a_policy_that_counts_sessions() -> None:
    by = reading("bentley-select-deployed")
    both = taken(NOON, NOON + HOUR_MS), taken(NOON, NOON + HOUR_MS, "c2")
    assert slots(by, *both) == {NOON: 2}
    policy = by.policy_at("MSTN", "CZ", NOON)
    assert checkout_unit(both[0], policy) != checkout_unit(both[1], policy)
