"""Entitlements of a contract: dates and policies of each, and contradictions between those in force together."""

from __future__ import annotations

import pytest

from tests.support.evidence.contract_shorthand import POOL, entitled, mistakes, read


def test_an_entitlement_knows_its_line() -> None:
    assert [each.line for each in read(entitled(POOL, POOL)).entitlements] == [7, 8]


def test_an_entitlement_that_begins_within_a_day_is_refused() -> None:
    assert mistakes(entitled(POOL.replace("2022-01-01", "2022-01-01T08:00:00Z"))) == [
        '7 entitlements[0].from: "2022-01-01T08:00:00Z" is not a date'
    ]


def test_an_empty_end_means_an_open_end() -> None:
    (entitlement,) = read(entitled(POOL)).entitlements
    assert entitlement.until_at is None
    assert entitlement.in_force(entitlement.from_at)
    assert not entitlement.in_force(entitlement.from_at - 1)


def test_the_policy_defaults_to_the_contracts_and_for_flex_to_the_token_policy() -> None:
    body = "default_policy: bentley-els\n" + entitled(
        POOL, "product: ACD, model: flex, daily_rate: 7, from: 2022-01-01"
    )
    assert [each.policy for each in read(body).entitlements] == ["bentley-els", "autodesk-flex"]


def test_consecutive_policies_do_not_contradict() -> None:
    body = entitled(f"{POOL}, until: 2023-01-01", f"{POOL.replace('2022', '2023')}, policy: bentley-els")
    assert mistakes(body) == []


def test_another_country_or_product_may_have_another_policy() -> None:
    body = entitled(
        POOL, f"{POOL}, country: SK, policy: bentley-els", f"{POOL.replace('MSTN', 'ORD')}, policy: bentley-css"
    )
    assert mistakes(body) == []


def test_named_seats_for_several_products_contradict_the_pool_of_each() -> None:
    body = entitled(POOL, "products: [ORD, MSTN], model: named, policy: bentley-els, quantity: 2, from: 2022-06-01")
    assert mistakes(body) == [
        "8 entitlements[1].policy: two policies for MSTN in CZ at once: bentley-els here, bentley-select in line 7"
    ]


def test_single_user_seats_stand_beside_flex_under_either_policy() -> None:
    flex = "product: ACD, model: flex, daily_rate: 7, from: 2022-01-01"
    single = "product: ACD, model: single_user, quantity: 5, from: 2022-01-01"
    assert mistakes(entitled(flex, single)) == []
    assert mistakes(entitled(flex, f"{single}, policy: autodesk-flex")) == []


def test_single_user_seats_name_the_policy_of_the_pool_beside_them() -> None:
    single = "product: MSTN, model: single_user, quantity: 5, from: 2022-01-01"
    assert mistakes(entitled(POOL, single)) == []
    assert mistakes(entitled(POOL, f"{single}, policy: autodesk-flex")) == [
        "8 entitlements[1].policy: two policies for MSTN in CZ at once: autodesk-flex here, bentley-select in line 7"
    ]


def test_a_daily_rate_may_change_over_time_but_not_differ_at_the_same_time() -> None:
    rate = "product: ACD, model: flex, daily_rate: {}, from: {}"
    first = rate.format(7, "2022-01-01")
    assert mistakes(entitled(f"{first}, until: 2022-06-01", rate.format(8, "2022-06-01"))) == []
    assert mistakes(entitled(first, first)) == []
    assert len(mistakes(entitled(first, rate.format(8, "2022-06-01")))) == 1


def test_a_contradiction_is_reported_at_the_later_line() -> None:
    body = entitled(POOL, f"{POOL.replace('2022', '2021')}, policy: bentley-els")
    assert [each.partition(":")[0] for each in mistakes(body)] == ["8 entitlements[1].policy"]


def test_a_long_entitlement_contradicts_what_begins_after_a_shorter_one_ended() -> None:
    rate = "product: ACD, model: flex, daily_rate: {}, from: {}, until: {}"
    body = entitled(
        rate.format(7, "2022-01-01", "2023-01-01"),
        rate.format(7, "2022-02-01", "2022-03-01"),
        rate.format(8, "2022-06-01", "2022-07-01"),
    )
    assert mistakes(body) == [
        "9 entitlements[2].daily_rate: two daily rates for ACD in CZ at once: 8 here, 7 in line 7"
    ]


@pytest.mark.parametrize("model", ["pooled", "named", "practitioner", "single_user"])
def test_a_quantity_of_0_is_allowed_and_gives_no_use(model: str) -> None:
    body = entitled(POOL.replace("pooled", model).replace("10", "0", 1))
    (entitlement,) = read(body).entitlements
    assert (entitlement.quantity, entitlement.gives_use) == (0, False)
