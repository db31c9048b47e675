"""The rows of a policy that a contract defines (RULES 2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.model.contracts import CustomPolicy
from pipeline.model.instants import MINUTE_MS
from pipeline.policy.catalogue import metering_catalogue
from pipeline.policy.metering_policies import MeteringTimeline, UnknownPolicy, resolve
from pipeline.policy.timeline import BeforeFirstRow
from tests.support.evidence.evidence_shorthand import instant

CATALOGUE = metering_catalogue()


def resolved(name: str, *custom: CustomPolicy) -> MeteringTimeline:
    return resolve(name, CATALOGUE, {policy.name: policy for policy in custom})


def test_a_policy_that_the_contract_does_not_define_comes_from_the_catalogue() -> None:
    assert resolved("bentley-select") == CATALOGUE["bentley-select"]


def test_a_policy_without_a_definition_is_unknown() -> None:
    with pytest.raises(UnknownPolicy, match="there is no metering policy named mine"):
        resolved("mine")
    with pytest.raises(UnknownPolicy, match="there is no metering policy named nobodys"):
        resolved("mine", CustomPolicy("mine", "nobodys", 0))


def test_a_custom_policy_changes_only_the_stated_values_from_its_start() -> None:
    from_at = instant("2022-01-01 00:00")
    timeline = resolved("mine", CustomPolicy("mine", "bentley-select", from_at, min_use_ms=12 * MINUTE_MS))
    base = CATALOGUE["bentley-select"].at(from_at)
    assert timeline.rows == ((from_at, replace(base, name="mine", valid_from_at=from_at, min_use_ms=12 * MINUTE_MS)),)
    assert timeline.at(from_at).id == "mine@2022-01-01"
    with pytest.raises(BeforeFirstRow, match="policy mine is defined from 2022-01-01 on"):
        timeline.at(from_at - 1)


def test_every_value_of_a_policy_can_be_changed() -> None:
    own = CustomPolicy(
        "mine",
        "bentley-select",
        instant("2022-01-01 00:00"),
        slot_ms=20 * MINUTE_MS,
        opening_slot_counts=True,
        min_use_ms=0,
        unit="machine+session",
        tolerance_days=0,
        term_licenses=False,
    )
    row = resolved("mine", own).at(own.from_at)
    values = (row.slot_ms, row.opening_slot_counts, row.min_use_ms, row.unit, row.tolerance_days, row.term_licenses)
    assert values == (20 * MINUTE_MS, True, 0, "machine+session", 0, False)


def test_a_custom_policy_follows_the_rows_of_its_base() -> None:
    timeline = resolved("mine", CustomPolicy("mine", "bentley-select", instant("2015-06-01 00:00"), tolerance_days=9))
    assert [(row.id, row.slot_ms // MINUTE_MS, row.tolerance_days) for _, row in timeline.rows] == [
        ("mine@2015-06-01", 60, 9),
        ("mine@2016-04-01", 10, 9),
    ]


def test_a_custom_policy_that_begins_with_a_row_of_its_base_has_that_row_once() -> None:
    timeline = resolved("mine", CustomPolicy("mine", "bentley-select", instant("2016-04-01 00:00")))
    assert [(row.id, row.slot_ms // MINUTE_MS) for _, row in timeline.rows] == [("mine@2016-04-01", 10)]


def test_custom_policies_can_extend_each_other_and_the_nearest_value_wins() -> None:
    first = CustomPolicy("first", "bentley-select", instant("2016-04-01 00:00"), min_use_ms=1, tolerance_days=1)
    second = CustomPolicy("second", "first", instant("2020-01-01 00:00"), min_use_ms=2)
    row = resolved("second", first, second).at(instant("2022-01-01 00:00"))
    assert (row.name, row.min_use_ms, row.tolerance_days, row.id) == ("second", 2, 1, "second@2020-01-01")


def test_a_custom_policy_cannot_begin_before_its_base() -> None:
    with pytest.raises(BeforeFirstRow, match="policy bentley-css is defined from 2016-04-01 on"):
        resolved("mine", CustomPolicy("mine", "bentley-css", instant("2016-03-31 00:00")))


def test_a_policy_that_extends_itself_is_refused_with_the_circle() -> None:
    first, second = CustomPolicy("one", "two", 0), CustomPolicy("two", "one", 0)
    with pytest.raises(UnknownPolicy, match="policy one extends itself: one -> two -> one"):
        resolved("one", first, second)
