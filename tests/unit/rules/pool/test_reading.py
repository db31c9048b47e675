"""The reading of a contract: codes, countries, plug-ins, entitlements, policies (RULES 1, 2 and 4)."""

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
            products={product.code: product for product in products},
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


def test_the_codes_of_a_product_are_all_codes_that_it_ever_replaces() -> None:
    chain = reading(CHAIN)
    assert chain.codes_of("A")[0] == "A"
    assert set(chain.codes_of("A")) == {"A", "B", "C", "D"}
    assert set(chain.codes_of("B")) == {"B", "C", "D"}
    assert chain.codes_of("C") == ("C",)
    assert chain.codes_of("X") == ("X",)


def test_codes_that_replace_each_other_at_different_times_are_listed_once() -> None:
    swapped = reading(
        [Product("A", replaces=(Replacement("B", None, MAY),)), Product("B", replaces=(Replacement("A", MAY),))]
    )
    assert sorted(swapped.codes_of("A")) == sorted(swapped.codes_of("B")) == ["A", "B"]
    assert (swapped.product_at("B", MAY - 1), swapped.product_at("A", MAY)) == ("A", "B")


def test_a_circle_of_replacements_is_a_broken_invariant() -> None:
    circle = reading([Product("A", replaces=(Replacement("B"),)), Product("B", replaces=(Replacement("A"),))])
    with pytest.raises(AssertionError, match="go round in a circle"):
        circle.product_at("A", MAY)


def test_use_counts_where_it_is_reported_else_in_the_contracts_country() -> None:
    assert (reading().country_of(""), reading().country_of("SK")) == ("CZ", "SK")


def test_the_entitlement_is_the_sum_of_pooled_seats_in_force() -> None:
    terms = reading(
        entitlements=[
            seats(quantity=2),
            seats(quantity=3, from_at=MAY, until_at=JUNE),
            seats(quantity=5, country="SK"),
            seats("B", quantity=7),
            seats(quantity=11, model="named"),
        ]
    )
    assert [terms.entitled_at("A", "CZ", at) for at in (MAY - 1, MAY, JUNE - 1, JUNE)] == [2, 5, 5, 2]
    assert terms.entitled_at("A", "SK", MAY) == 5
    assert terms.entitled_at("X", "CZ", MAY) == 0


def test_the_policy_is_that_of_the_entitlements_in_force_else_the_default() -> None:
    terms = reading(
        entitlements=[seats(from_at=MAY, until_at=JUNE, policy="bentley-els")], default_policy="bentley-e365"
    )
    names = [terms.policy_at("A", "CZ", at).name for at in (MAY - 1, MAY, JUNE - 1, JUNE)]
    assert names == ["bentley-e365", "bentley-els", "bentley-els", "bentley-e365"]
    assert terms.policy_at("A", "SK", MAY).name == "bentley-e365"


def test_token_policies_do_not_apply_to_seats() -> None:
    terms = reading(entitlements=[seats(model="flex", policy="autodesk-flex")])
    assert terms.policy_at("A", "CZ", MAY).name == "bentley-select"


def test_judgements_cover_the_period_without_gaps() -> None:
    terms = reading(CHAIN, [seats(from_at=JUNE, policy="bentley-e365")])
    judged = terms.judgements("B", "", PERIOD)
    assert [
        (judgement.from_at, judgement.until_at, judgement.product, judgement.country, judgement.policy.name)
        for judgement in judged
    ] == [
        (PERIOD.start_at, MAY, "B", "CZ", "bentley-select"),
        (MAY, JUNE, "A", "CZ", "bentley-select"),
        (JUNE, PERIOD.end_at, "A", "CZ", "bentley-e365"),
    ]
    assert {(judgement.code, judgement.reported_country) for judgement in judged} == {("B", "")}


def test_judgements_are_not_split_where_nothing_changes_for_the_code() -> None:
    terms = reading(CHAIN, [seats("X", from_at=MAY, until_at=JUNE), seats(quantity=5, from_at=JUNE)])
    assert [(judgement.from_at, judgement.until_at) for judgement in terms.judgements("A", "CZ", PERIOD)] == [
        (PERIOD.start_at, PERIOD.end_at)
    ]


def test_a_plug_in_is_judged_only_while_it_has_an_entitlement_there() -> None:
    terms = reading([Product("A"), Product("P", plugin_of="A")], [seats("P", from_at=MAY, until_at=JUNE)])
    assert [(judgement.from_at, judgement.until_at) for judgement in terms.judgements("P", "", PERIOD)] == [(MAY, JUNE)]
    assert terms.judgements("P", "SK", PERIOD) == ()
    assert not terms.needs_licence("P", "CZ", MAY - 1)
    assert terms.needs_licence("P", "CZ", MAY)
    assert terms.needs_licence("X", "CZ", MAY)


def test_a_day_before_the_first_row_of_the_policy_is_an_error() -> None:
    terms = reading(default_policy="late")
    with pytest.raises(
        BeforeFirstRow, match="policy late is defined from 2022-05-01 on; it says nothing of 2022-04-01"
    ):
        terms.judgements("A", "", PERIOD)
    with pytest.raises(BeforeFirstRow):
        terms.policy_at("A", "CZ", MAY - 1)


def test_a_policy_need_not_cover_days_on_which_another_applies() -> None:
    covered = seats(until_at=MAY)
    terms = reading(entitlements=[covered], default_policy="late")
    assert [judgement.policy.name for judgement in terms.judgements("A", "CZ", PERIOD)] == ["bentley-select", "late"]


def test_judgements_are_split_where_a_policy_has_a_new_row() -> None:
    old = metering_catalogue()["bentley-select"].at(MAY)
    rows = ((PERIOD.start_at, old), (MAY, replace(old, valid_from_at=MAY, min_use_ms=0)))
    terms = ContractReading(Contract("acme", "CZ", "EUR", ""), {"bentley-select": Timeline("bentley-select", rows)})
    assert [
        (judgement.from_at, judgement.until_at, judgement.policy) for judgement in terms.judgements("A", "", PERIOD)
    ] == [
        (PERIOD.start_at, MAY, old),
        (MAY, PERIOD.end_at, rows[1][1]),
    ]


def test_judgements_are_grouped_by_reported_code_and_country() -> None:
    by_report = reading(CHAIN).judgements_of([("A", ""), ("A", "CZ"), ("B", "SK")], PERIOD)
    assert set(by_report) == {("A", ""), ("A", "CZ"), ("B", "SK")}
    assert [judgement.country for judgement in by_report["A", ""]] == ["CZ"]
    assert {judgement.country for judgement in by_report["B", "SK"]} == {"SK"}


def test_every_judgement_begins_and_ends_at_midnight() -> None:
    terms = reading(CHAIN, [seats(from_at=MAY, until_at=JUNE)])
    assert all(
        judgement.from_at % DAY_MS == judgement.until_at % DAY_MS == 0
        for judgement in terms.judgements("C", "", PERIOD)
    )
