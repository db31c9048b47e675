"""What facts count for under a contract: codes, countries, plug-ins, entitlements, policies (RULES 1, 2 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pipeline.model.contracts import Contract, CustomPolicy, Entitlement, EntitlementModel, Product, Replacement
from pipeline.model.instants import DAY_MS, Period
from pipeline.policy.catalogue import metering_catalogue
from pipeline.policy.timeline import BeforeFirstRow, Timeline
from pipeline.rules.pool.reading import ContractReading
from tests.support.evidence.evidence_shorthand import instant
from tests.support.evidence.random_fleets import reading_of

PERIOD = Period.parse("2022Q2")
MAY = instant("2022-05-01 00:00")
JUNE = instant("2022-06-01 00:00")


def seats(
    product: str = "A",
    quantity: int = 1,
    from_at: int = instant("2022-01-01 00:00"),
    until_at: int | None = None,
    *,
    country: str = "CZ",
    model: EntitlementModel = "pooled",
    policy: str = "bentley-select",
) -> Entitlement:
    return Entitlement((product,), country, model, policy, quantity, from_at, until_at)


def reading(
    products: Sequence[Product] = (), entitlements: Sequence[Entitlement] = (), default_policy: str = "bentley-select"
) -> ContractReading:
    late = CustomPolicy("late", "bentley-select", MAY)
    return reading_of(
        Contract(
            "acme",
            "CZ",
            "EUR",
            "",
            default_policy=default_policy,
            policies={"late": late},
            products={one.code: one for one in products},
            entitlements=tuple(entitlements),
        )
    )


CHAIN = (
    Product("A", replaces=(Replacement("B", MAY),)),
    Product("B", replaces=(Replacement("C", None, JUNE), Replacement("D"))),
)


@pytest.mark.parametrize(
    ("code", "at", "product"),
    [
        ("A", MAY, "A"),
        ("B", MAY - 1, "B"),
        ("B", MAY, "A"),
        ("C", MAY - 1, "B"),
        ("C", MAY, "A"),
        ("C", JUNE - 1, "A"),
        ("C", JUNE, "C"),
        ("D", JUNE, "A"),
        ("X", MAY, "X"),
    ],
)
def test_a_code_counts_for_the_last_of_its_successors_at_the_time(code: str, at: int, product: str) -> None:
    assert reading(CHAIN).product_at(code, at) == product


def test_the_codes_of_a_product_are_all_that_ever_lead_to_it() -> None:
    found = reading(CHAIN)
    assert found.codes_of("A")[0] == "A"
    assert set(found.codes_of("A")) == {"A", "B", "C", "D"}
    assert set(found.codes_of("B")) == {"B", "C", "D"}
    assert found.codes_of("C") == ("C",)
    assert found.codes_of("X") == ("X",)


def test_codes_that_replace_one_another_at_different_times_are_found_once() -> None:
    found = reading(
        [Product("A", replaces=(Replacement("B", None, MAY),)), Product("B", replaces=(Replacement("A", MAY),))]
    )
    assert sorted(found.codes_of("A")) == sorted(found.codes_of("B")) == ["A", "B"]
    assert (found.product_at("B", MAY - 1), found.product_at("A", MAY)) == ("A", "B")


def test_replacements_in_a_circle_are_a_broken_invariant() -> None:
    circle = reading([Product("A", replaces=(Replacement("B"),)), Product("B", replaces=(Replacement("A"),))])
    with pytest.raises(AssertionError, match="go round in a circle"):
        circle.product_at("A", MAY)


def test_use_counts_where_it_is_reported_else_in_the_contracts_country() -> None:
    assert (reading().country_of(""), reading().country_of("SK")) == ("CZ", "SK")


def test_entitled_are_the_pooled_seats_in_force_added_up() -> None:
    found = reading(
        entitlements=[
            seats(quantity=2),
            seats(quantity=3, from_at=MAY, until_at=JUNE),
            seats(quantity=5, country="SK"),
            seats("B", quantity=7),
            seats(quantity=11, model="named"),
        ]
    )
    assert [found.entitled_at("A", "CZ", at) for at in (MAY - 1, MAY, JUNE - 1, JUNE)] == [2, 5, 5, 2]
    assert found.entitled_at("A", "SK", MAY) == 5
    assert found.entitled_at("X", "CZ", MAY) == 0


def test_a_policy_is_the_one_the_entitlements_in_force_name_else_the_default() -> None:
    found = reading(
        entitlements=[seats(from_at=MAY, until_at=JUNE, policy="bentley-els")], default_policy="bentley-e365"
    )
    names = [found.policy_at("A", "CZ", at).name for at in (MAY - 1, MAY, JUNE - 1, JUNE)]
    assert names == ["bentley-e365", "bentley-els", "bentley-els", "bentley-e365"]
    assert found.policy_at("A", "SK", MAY).name == "bentley-e365"


def test_token_policies_do_not_judge_seats() -> None:
    found = reading(entitlements=[seats(model="flex", policy="autodesk-flex")])
    assert found.policy_at("A", "CZ", MAY).name == "bentley-select"


def test_judgements_adjoin_and_cover_the_period_each_with_one_product_and_policy() -> None:
    found = reading(CHAIN, [seats(from_at=JUNE, policy="bentley-e365")])
    judged = found.judgements("B", "", PERIOD)
    assert [(one.from_at, one.until_at, one.product, one.country, one.policy.name) for one in judged] == [
        (PERIOD.start_at, MAY, "B", "CZ", "bentley-select"),
        (MAY, JUNE, "A", "CZ", "bentley-select"),
        (JUNE, PERIOD.end_at, "A", "CZ", "bentley-e365"),
    ]
    assert {(one.code, one.reported_country) for one in judged} == {("B", "")}


def test_judgements_are_not_cut_where_nothing_changes_for_the_code() -> None:
    found = reading(CHAIN, [seats("X", from_at=MAY, until_at=JUNE), seats(quantity=5, from_at=JUNE)])
    assert [(one.from_at, one.until_at) for one in found.judgements("A", "CZ", PERIOD)] == [
        (PERIOD.start_at, PERIOD.end_at)
    ]


def test_a_plug_in_is_judged_only_while_it_has_an_entitlement_there() -> None:
    found = reading([Product("A"), Product("P", plugin_of="A")], [seats("P", from_at=MAY, until_at=JUNE)])
    assert [(one.from_at, one.until_at) for one in found.judgements("P", "", PERIOD)] == [(MAY, JUNE)]
    assert found.judgements("P", "SK", PERIOD) == ()
    assert not found.needs_licence("P", "CZ", MAY - 1)
    assert found.needs_licence("P", "CZ", MAY)
    assert found.needs_licence("X", "CZ", MAY)


def test_a_policy_that_says_nothing_of_some_day_is_an_error() -> None:
    found = reading(default_policy="late")
    with pytest.raises(
        BeforeFirstRow, match="policy late is defined from 2022-05-01 on; it says nothing of 2022-04-01"
    ):
        found.judgements("A", "", PERIOD)
    with pytest.raises(BeforeFirstRow):
        found.policy_at("A", "CZ", MAY - 1)


def test_a_policy_is_not_asked_of_days_on_which_another_judges() -> None:
    covered = seats(until_at=MAY)
    found = reading(entitlements=[covered], default_policy="late")
    assert [one.policy.name for one in found.judgements("A", "CZ", PERIOD)] == ["bentley-select", "late"]


def test_judgements_are_cut_where_a_policy_has_a_new_row() -> None:
    old = metering_catalogue()["bentley-select"].at(MAY)
    rows = ((PERIOD.start_at, old), (MAY, replace(old, valid_from_at=MAY, min_use_ms=0)))
    found = ContractReading(Contract("acme", "CZ", "EUR", ""), {"bentley-select": Timeline("bentley-select", rows)})
    assert [(one.from_at, one.until_at, one.policy) for one in found.judgements("A", "", PERIOD)] == [
        (PERIOD.start_at, MAY, old),
        (MAY, PERIOD.end_at, rows[1][1]),
    ]


def test_judgements_are_kept_by_what_was_reported() -> None:
    found = reading(CHAIN).judgements_of([("A", ""), ("A", "CZ"), ("B", "SK")], PERIOD)
    assert set(found) == {("A", ""), ("A", "CZ"), ("B", "SK")}
    assert [one.country for one in found["A", ""]] == ["CZ"]
    assert {one.country for one in found["B", "SK"]} == {"SK"}


def test_every_judgement_begins_and_ends_at_midnight() -> None:
    found = reading(CHAIN, [seats(from_at=MAY, until_at=JUNE)])
    assert all(one.from_at % DAY_MS == one.until_at % DAY_MS == 0 for one in found.judgements("C", "", PERIOD))
