"""A drafted contract is valid, keeps the licence file's dates and quantities, and says what it was made from."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipeline.application.drafting.contract_draft import DraftRequest, draft_contract
from pipeline.application.drafting.drafted_products import DraftedProduct, draft_products
from pipeline.codec.contract.examination import read_contract
from pipeline.codec.license_file import read_license_file
from pipeline.model.contracts import Contract
from pipeline.model.errors import InputError
from pipeline.rules.summary.feature_pairs import FeaturePair
from tests.support.evidence.evidence_shorthand import instant

PAIR = FeaturePair("64300ACD_F", "87545ACD_2022_0F", 850, 850)


def drafted(features: set[str], *pairs: FeaturePair, license_text: str = "", **changes: Any) -> str:
    license_file = read_license_file("license.lic", license_text.encode()) if license_text else None
    options: dict[str, Any] = {"account": "lab", "country": "CZ", "currency": "EUR", "inputs": ("lmgrd.log",)} | changes
    return draft_contract(
        DraftRequest(
            license_name="license.lic" if license_text else "",
            license=license_file,
            products=tuple(draft_products(features, pairs, license_file)),
            use={},
            first_at=instant("2022-05-03 08:00"),
            last_at=instant("2022-06-03 08:00"),
            **options,
        )
    )


def contract(features: set[str], *pairs: FeaturePair, license_text: str = "") -> Contract:
    return read_contract("draft", drafted(features, *pairs, license_text=license_text).encode())


def seats(of: Contract) -> list[tuple[str, int, str, str]]:
    """Product, quantity, first and last day but one of each entitlement."""

    def day(at: int | None) -> str:
        return "" if at is None else date.fromordinal(at // 86_400_000 + date(1970, 1, 1).toordinal()).isoformat()

    return [(each.products[0], each.quantity, day(each.from_at), day(each.until_at)) for each in of.entitlements]


def replaced(of: Contract) -> dict[str, list[str]]:
    return {code: [old.code for old in product.replaces] for code, product in of.products.items()}


def test_a_pair_becomes_a_product_named_after_what_both_share() -> None:
    draft = contract({"64300ACD_F", "87545ACD_2022_0F", "F1"}, PAIR)
    assert replaced(draft) == {"ACD": ["64300ACD_F", "87545ACD_2022_0F"], "F1": []}
    assert draft.entitlements == ()


def test_names_of_another_form_keep_the_feature_as_the_product() -> None:
    draft = contract({"tool", "tool_2022"}, FeaturePair("tool", "tool_2022", 3, 3))
    assert replaced(draft) == {"tool": ["tool_2022"]}


def test_releases_of_one_name_go_together_even_without_a_checkout_of_both() -> None:
    assert replaced(contract({"64300ACD_F", "87393ACD_2021_0F"})) == {"ACD": ["64300ACD_F", "87393ACD_2021_0F"]}
    assert replaced(contract({"A_2021", "A_2022"})) == {"A_2021": [], "A_2022": []}


def test_the_licence_file_gives_dates_and_quantities() -> None:
    text = (
        "INCREMENT 64300ACD_F adskflex 1.0 22-jan-2023 40 ISSUED=23-jan-2022 SUPERSEDE\n"
        "INCREMENT 64300ACD_F adskflex 1.0 permanent 20 ISSUED=1-feb-2020\n"
        "INCREMENT F1 demo 1.0 permanent uncounted\n"
    )
    assert seats(contract({"87545ACD_2022_0F"}, license_text=text)) == [
        ("ACD", 40, "2022-01-23", "2023-01-23"),
        ("ACD", 20, "2020-02-01", "2022-01-23"),
        ("F1", 1_000_000, "2022-04-01", ""),
    ]


def test_licences_of_two_features_that_are_taken_together_do_not_add_up() -> None:
    text = "INCREMENT 64300ACD_F a 1.0 permanent 40\nINCREMENT 87545ACD_2022_0F a 1.0 permanent 40\n"
    assert [quantity for _, quantity, *_ in seats(contract(set(), PAIR, license_text=text))] == [40]
    assert "licences of 87545ACD_2022_0F are checked out together with these" in drafted(set(), PAIR, license_text=text)


def test_components_of_a_suite_count_as_the_suite_and_those_of_another_package_for_themselves() -> None:
    text = (
        'PACKAGE 64300ACD_F a 1.0 COMPONENTS="87545ACD_2022_0F 87393ACD_2021_0F" OPTIONS=SUITE\n'
        'PACKAGE 64400AEC_F a 1.0 COMPONENTS="87545ACD_2022_0F 87561RVT_2022_0F" OPTIONS=SUITE\n'
        'PACKAGE bundle a 1.0 COMPONENTS="cad cam::3"\n'
        "INCREMENT 64300ACD_F a 1.0 permanent 40\nINCREMENT 64400AEC_F a 1.0 permanent 2\n"
        "INCREMENT bundle a 1.0 permanent 5\n"
    )
    draft = contract({"87561RVT_2022_0F"}, license_text=text)
    assert replaced(draft) == {
        "ACD": ["64300ACD_F", "87393ACD_2021_0F", "87545ACD_2022_0F"],
        "AEC": ["64400AEC_F"],
        "RVT": ["87561RVT_2022_0F"],
        "cad": [],
        "cam": [],
    }
    assert [(product, quantity) for product, quantity, *_ in seats(draft)] == [
        ("ACD", 40), ("AEC", 2), ("cad", 5), ("cam", 15),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "INCREMENT F1 a 1.0 1-jan-1999 4",
        "INCREMENT F1 a 1.0 1-jan-2001 4 ISSUED=1-jan-2000",
        "INCREMENT F1 a 1.0 31-dec-9999 4 ISSUED=1-jan-1999",
        "INCREMENT F1 a 1.0 permanent 999999999 START=1-jan-2005",
    ],
)
def test_dates_and_quantities_that_a_contract_cannot_state_leave_the_draft_valid(line: str) -> None:
    for _, quantity, first_day, _ in seats(contract({"F1"}, license_text=line)):
        assert quantity <= 1_000_000
        assert first_day == "2006-01-01"


@pytest.mark.parametrize(
    "feature",
    [
        "null",
        "on",
        "12345",
        "1e5",
        "0x1F",
        ".inf",
        "a: b",
        "a #b",
        "- a",
        "{a}",
        "'a",
        'a"b',
        "a\\b",
        "é",
        "=",
        "~",
        "a,b",
    ],
)
def test_a_feature_of_any_name_is_a_product_of_this_name(feature: str) -> None:
    assert list(contract({feature}).products) == [feature]
    pair = FeaturePair(f"{feature}x", f"{feature}_2022_", 2, 2)
    assert replaced(contract(set(), pair)) == {f"{feature}x": [f"{feature}_2022_"]}


def test_what_is_no_name_of_a_contract_is_left_out() -> None:
    assert replaced(contract({"F1"}, FeaturePair("a\u2028b", "a\u2028b_2022", 2, 2))) == {"F1": []}
    assert replaced(contract({"F1", "a\u2028b", "x" * 201})) == {"F1": []}


def test_nothing_used_and_nothing_granted_is_a_valid_contract() -> None:
    assert contract(set()).products == {}


@pytest.mark.parametrize(("option", "value"), [("country", "cz"), ("currency", "€"), ("account", "")])
def test_an_option_that_no_contract_may_hold_is_named(option: str, value: str) -> None:
    with pytest.raises(InputError, match=f"^--{option}: "):
        drafted({"F1"}, **{option: value})


def test_the_draft_says_what_it_was_made_from_and_leaves_prices_to_fill_in() -> None:
    text = drafted({"F1"}, license_text="INCREMENT F1 demo 1.0 permanent 4 ISSUED=1-jan-2022 SIGN=SECRET\n")
    assert "lmgrd.log" in text
    assert "# license.lic:1" in text
    assert '# term_license_price: "0.00"' in text
    assert "SECRET" not in text


def test_products_are_in_order_and_each_feature_is_of_one() -> None:
    products: list[DraftedProduct] = draft_products({"b", "a", "87545ACD_2022_0F"}, [PAIR], None)
    assert [product.code for product in products] == ["ACD", "a", "b"]
