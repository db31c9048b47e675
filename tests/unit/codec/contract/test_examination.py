"""Reading contracts, and refusals with line, path and remedy (INTERFACES, Contract)."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from textwrap import dedent

import pytest

from pipeline.codec.contract.examination import examine_contract, load_contract, read_contract
from pipeline.codec.schema_folder import schema_folder
from pipeline.model.contracts import Checkout, Contract, Replacement
from pipeline.model.errors import ContractInvalid, InputError
from pipeline.model.instants import HOUR_MS, MINUTE_MS, iso

SAMPLES = schema_folder() / "contracts"
INVALID = schema_folder() / "examples" / "contract" / "invalid"
GOLDEN = Path(__file__).parents[3] / "golden" / "contracts" / "mistakes.txt"
HEAD = "account: acme\ncountry: CZ\ncurrency: EUR\n"
POOL = "product: MSTN, model: pooled, quantity: 10, from: 2022-01-01"
BOTH_OF_A_PAIR = {"replacement-loop.yaml", "plugin-loop.yaml"}


def read(body: str, head: str = HEAD) -> Contract:
    return read_contract("acme.yaml", (head + dedent(body)).encode())


def mistakes(body: str, head: str = HEAD, *, strict: bool = False) -> list[str]:
    """Each mistake as ``line path: reason``."""
    examined = examine_contract((head + dedent(body)).encode(), strict=strict).mistakes
    return [f"{each.line} {each.path}: {each.reason}" for each in examined]


def warnings(body: str) -> list[str]:
    return [f"{each.line} {each.path}: {each.reason}" for each in examine_contract((HEAD + body).encode()).warnings]


def entitled(*rows: str, products: str = "MSTN: {}, ORD: {}, ACD: {}", policies: str = "{}") -> str:
    """A body with an entitlement per line, the first on line 7."""
    return f"policies: {policies}\nproducts: {{{products}}}\nentitlements:\n" + "".join(f"  - {{{r}}}\n" for r in rows)


@pytest.mark.parametrize("name", ["minimal", "studio", "flexnet-autodesk", "engineering"])
def test_every_sample_contract_is_valid_without_warnings(name: str) -> None:
    examined = examine_contract((SAMPLES / f"{name}.yaml").read_bytes())
    assert examined.mistakes == ()
    assert examined.warnings == ()


def test_every_invalid_example_is_refused_with_the_golden_sentences() -> None:
    sentences = []
    for path in sorted(INVALID.glob("*.yaml")):
        with pytest.raises(ContractInvalid) as refused:
            read_contract(path.name, path.read_bytes())
        sentences.append(str(refused.value))
    assert "\n".join(sentences) + "\n" == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(INVALID.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_with_a_single_mistake_is_refused_for_nothing_else(path: Path) -> None:
    reasons = examine_contract(path.read_bytes()).mistakes
    expected = 2 if path.name in BOTH_OF_A_PAIR else 1
    assert len(reasons) > 20 if path.stem == "many" else len(reasons) == expected


def test_every_remedy_and_reason_is_a_sentence_on_one_line() -> None:
    for path in INVALID.glob("*.yaml"):
        for each in examine_contract(path.read_bytes()).mistakes:
            assert each.line >= 1
            assert each.remedy.endswith(".")
            assert not each.reason.endswith(".")
            assert (each.path + each.reason + each.remedy).isprintable()


def test_a_minimal_contract_has_the_documented_defaults() -> None:
    content = HEAD.encode()
    assert read_contract("acme.yaml", content) == Contract(
        account="acme",
        country="CZ",
        currency="EUR",
        content_hash=f"sha256:{sha256(content).hexdigest()}",
        lateness_days=35,
        default_policy="bentley-select",
    )


def test_the_engineering_contract_is_read_into_the_model() -> None:
    contract = load_contract(SAMPLES / "engineering.yaml")
    assert contract.products["MSTN"].unit_price == 96_000
    assert contract.products["ORD"].unit_price == 120_000
    assert contract.products["STAAD"].unit_price == 115_000
    assert contract.products["ACD"].unit_price is None
    assert contract.products["MAYA"].idle_detection == "2021"
    assert contract.products["MAYA"].platforms == {"linux": "2020"}
    assert contract.products["PLUG"].plugin_of == "ACD"
    xm_from_at = contract.products["MSTN"].replaces[1].from_at
    assert xm_from_at is not None
    assert iso(xm_from_at) == "2016-01-01T00:00:00Z"
    assert contract.products["MSTN"].replaces == (Replacement("MSTN-V8I"), Replacement("MSTN-XM", xm_from_at))
    assert contract.policies["relaxed"].min_use_ms == 12 * MINUTE_MS
    named = next(each for each in contract.entitlements if each.model == "named")
    assert (named.products, named.quantity, named.daily_rate) == (("MSTN", "ORD"), 2, None)
    flex = next(each for each in contract.entitlements if each.model == "flex")
    assert (flex.products, flex.quantity, flex.daily_rate, flex.policy) == (("ACD",), 0, 7, "autodesk-flex")
    slovak = next(each for each in contract.entitlements if each.country == "SK")
    assert slovak.quantity == 3
    assert [pack.price for pack in contract.token_packs] == [150_000, 150_000]
    assert contract.assignments[1].replaces == "jana@acme.example"
    taken_at = contract.checkouts[0].from_at
    assert contract.checkouts[0] == Checkout(
        "MSTN", "CZ", "petr@acme.example", "ws-9", taken_at, taken_at + 106 * HOUR_MS, taken_at + 75 * HOUR_MS
    )
    assert iso(taken_at) == "2022-05-02T06:00:00Z"


def test_the_studio_contract_has_the_quantities_of_the_demo() -> None:
    contract = load_contract(SAMPLES / "studio.yaml")
    quantities = {each.products[0]: each.quantity for each in contract.entitlements if each.model == "pooled"}
    assert quantities == {"MSTN": 20, "ORD": 6, "STAAD": 4, "PLAX": 10}


def test_an_entitlement_knows_its_line() -> None:
    assert [each.line for each in read(entitled(POOL, POOL)).entitlements] == [7, 8]


def test_norway_is_read_as_a_country_and_not_as_false() -> None:
    assert read("", HEAD.replace("CZ", "NO")).country == "NO"


def test_a_yaml_1_1_boolean_as_country_is_refused_with_the_reason() -> None:
    assert mistakes("", f"%YAML 1.1\n---\n{HEAD.replace('CZ', 'NO')}") == [
        "4 country: NO is a truth value, not a country"
    ]


def test_a_date_means_the_same_with_and_without_quotes() -> None:
    bare, quoted = read(entitled(POOL)), read(entitled(POOL.replace("2022-01-01", '"2022-01-01"')))
    assert bare.entitlements == quoted.entitlements


@pytest.mark.parametrize("written", ["2022-05-02T06:00:00Z", "2022-05-02 08:00:00+02:00", '"2022-05-02T06:00Z"'])
def test_a_time_is_read_with_its_zone(written: str) -> None:
    contract = read(f"token_packs: [{{id: P, tokens: 5, purchased_at: {written}}}]\n")
    assert iso(contract.token_packs[0].purchased_at) == "2022-05-02T06:00:00Z"


def test_an_entitlement_that_begins_within_a_day_is_refused() -> None:
    assert mistakes(entitled(POOL.replace("2022-01-01", "2022-01-01T08:00:00Z"))) == [
        '7 entitlements[0].from: "2022-01-01T08:00:00Z" is not a date'
    ]


def test_users_and_machines_are_folded() -> None:
    body = (
        entitled(POOL)
        + "checkouts:\n  - {product: MSTN, user: JANA, machine: WS-9, from: 2022-05-02, until: 2022-05-03}\n"
    )
    assert (read(body).checkouts[0].user, read(body).checkouts[0].machine) == ("jana", "ws-9")


def test_the_policy_defaults_to_the_contracts_and_for_flex_to_the_token_policy() -> None:
    body = "default_policy: bentley-els\n" + entitled(
        POOL, "product: ACD, model: flex, daily_rate: 7, from: 2022-01-01"
    )
    assert [each.policy for each in read(body).entitlements] == ["bentley-els", "autodesk-flex"]


def test_a_product_code_that_looks_like_a_number_is_read_as_text() -> None:
    assert list(read("products: {007: {}, true: {}, 2022-01-01: {}}").products) == ["007", "true", "2022-01-01"]


def test_a_term_license_price_takes_precedence_over_the_list_price() -> None:
    products = read('products:\n  A: {list_price: "10.00", term_license_price: "7.00"}\n').products
    assert products["A"].unit_price == 700


def test_the_default_percentage_is_sixteen_rounded_half_up() -> None:
    assert read('products:\n  A: {list_price: "0.53"}\n').products["A"].unit_price == 8
    assert read('products:\n  A: {list_price: "0.03", term_license_percent: 50}\n').products["A"].unit_price == 2


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    assert examine_contract(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode()).contract is not None


def test_an_alias_repeats_a_value() -> None:
    contract = read('products:\n  A: &same {list_price: "10.00"}\n  B: *same\n')
    assert contract.products["B"].unit_price == 160


def test_a_text_with_a_trailing_line_break_is_different() -> None:
    assert mistakes("", HEAD.replace("CZ", "|\n  CZ"))[0].startswith("2 country:")


def test_aliases_that_expand_exponentially_are_refused() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 9))
    assert any("is the value after the first" in each for each in mistakes(f"l0: &l0 [x]\n{levels}"))


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_endless_brackets_are_refused_without_a_crash(opening: str) -> None:
    (mistake,) = examine_contract((opening * 5_000).encode()).mistakes
    assert mistake.reason == "is nested too deeply"


def test_a_file_that_is_too_large_is_refused() -> None:
    (mistake,) = examine_contract(b"#" * (2 * 1024 * 1024 + 1)).mistakes
    assert "2097152 bytes" in mistake.reason


def test_structural_mistakes_and_contradictions_are_reported_together() -> None:
    body = entitled(
        "product: MSTM, model: pooled, policy: bentley-css, quantity: 0, from: 2010-01-01, until: 2009-01-01, x: 1"
    )
    assert [each.partition(":")[0] for each in mistakes(body)] == [
        "7 entitlements[0].from",
        "7 entitlements[0].product",
        "7 entitlements[0].quantity",
        "7 entitlements[0].until",
        "7 entitlements[0].x",
    ]


def test_mistakes_are_sorted_by_line() -> None:
    lines = [each.line for each in examine_contract((INVALID / "many.yaml").read_bytes()).mistakes]
    assert lines == sorted(lines)


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


def test_an_entitlement_cannot_begin_before_its_custom_policy() -> None:
    policies = "{relaxed: {extends: bentley-select, min_use: 12m, from: 2022-06-01}}"
    assert mistakes(entitled(f"{POOL}, policy: relaxed", policies=policies)) == [
        "7 entitlements[0].from: begins on 2022-01-01, but relaxed is defined from 2022-06-01 on"
    ]


def test_an_entitlement_under_an_invalid_policy_is_not_reported_too() -> None:
    body = entitled(f"{POOL}, policy: relaxed", policies="{relaxed: {extends: nothing, from: 2022-01-01}}")
    assert [each.partition(":")[0] for each in mistakes(body)] == ["4 policies.relaxed.extends"]


def test_each_of_the_policies_that_extend_each_other_is_reported() -> None:
    body = """\
        policies:
          a: {extends: b, from: 2022-01-01}
          b: {extends: a, from: 2022-01-01}
          c: {extends: a, from: 2022-01-01}
        """
    assert mistakes(body) == [
        "5 policies.a.extends: policy a extends itself through b",
        "6 policies.b.extends: policy b extends itself through a",
    ]


@pytest.mark.parametrize(
    ("slot", "is_valid"),
    [("10m", True), ("90m", True), ("1d", True), ("50m", False), ("15m", False), ("2d", False), ("0m", False)],
)
def test_a_slot_divides_a_day_and_is_a_multiple_of_ten_minutes(slot: str, is_valid: bool) -> None:
    reasons = mistakes(f"policies:\n  own: {{extends: bentley-select, slot: {slot}, from: 2022-01-01}}\n")
    assert (reasons == []) is is_valid


def test_old_codes_may_change_hands_and_direction_over_time() -> None:
    body = """\
        products:
          A: {replaces: [OLD, {code: B, until: 2022-01-01}]}
          B: {replaces: [{code: A, from: 2022-01-01}, OLDER]}
          C: {replaces: [{code: NEW, until: 2022-01-01}]}
          D: {replaces: [{code: NEW, from: 2022-01-01}, C]}
        """
    assert mistakes(body) == []


def test_a_circle_of_replacements_is_reported_at_each_of_its_products() -> None:
    body = "products:\n  A: {replaces: [OLD, C]}\n  B: {replaces: [A]}\n  C: {replaces: [B]}\n"
    assert [each.split(":")[0] for each in mistakes(body)] == [
        "5 products.A.replaces[1]",
        "6 products.B.replaces[0]",
        "7 products.C.replaces[0]",
    ]


def test_a_plug_in_of_a_plug_in_is_not_a_circle() -> None:
    assert mistakes("products:\n  A: {}\n  B: {plugin_of: A}\n  C: {plugin_of: B}\n") == []


def test_an_assignment_counts_in_the_country_of_its_seats() -> None:
    seats = "product: MSTN, model: practitioner, quantity: 1, from: 2022-01-01, country: SK"
    assigned = "assignments:\n  - {{product: MSTN, user: jana, at: 2022-02-01{}}}\n"
    assert len(mistakes(entitled(seats) + assigned.format(""))) == 1
    assert mistakes(entitled(seats) + assigned.format(", country: SK")) == []


def test_a_checkin_ends_its_checkout_but_not_before_its_start() -> None:
    taken = "product: MSTN, user: a, machine: b, from: 2022-05-02, until: 2022-05-04"
    checkout = f"checkouts:\n  - {{{{{taken}, checked_in_at: {{}}}}}}\n"
    assert mistakes(entitled(POOL) + checkout.format("2022-05-02")) == []
    assert mistakes(entitled(POOL) + checkout.format("2022-05-04")) == []
    assert len(mistakes(entitled(POOL) + checkout.format("2022-05-01T23:59:59Z"))) == 1
    assert len(mistakes(entitled(POOL) + checkout.format("2022-05-04T00:00:01Z"))) == 1


@pytest.mark.parametrize(("days", "is_valid"), [(0, False), (1, True), (365, True), (366, False)])
def test_lateness_is_one_to_365_days(days: int, is_valid: bool) -> None:
    assert (mistakes(f"lateness_days: {days}\n") == []) is is_valid


@pytest.mark.parametrize(
    ("percent", "is_valid"),
    [
        ("1", True),
        ("100", True),
        ('"0.5"', True),
        ('"100.00"', True),
        ("0", False),
        ("101", False),
        ('"0.0"', False),
        ('"100.01"', False),
        ("12.5", False),
        ("true", False),
        ('"-1"', False),
    ],
)
def test_a_percentage_is_above_0_and_at_most_100(percent: str, is_valid: bool) -> None:
    reasons = mistakes(f'products:\n  A: {{list_price: "10.00", term_license_percent: {percent}}}\n')
    assert (reasons == []) is is_valid
    assert is_valid or len(reasons) == 1


def test_money_has_the_decimals_of_its_currency() -> None:
    dinar = HEAD.replace("EUR", "KWD")
    body = 'products:\n  A: {term_license_price: "1.125"}\n'
    assert read(body, dinar).products["A"].unit_price == 1_125
    assert len(mistakes(body)) == 1


def test_a_pooled_product_without_a_price_is_a_warning_and_with_strict_a_mistake() -> None:
    body = entitled(POOL, products="MSTN: {}")
    reason = "can be over-used but has no price: its term licences would be counted and stay out of the total"
    assert warnings(body) == [f"5 products.MSTN: {reason}"]
    assert mistakes(body) == []
    assert mistakes(body, strict=True) == [f"5 products.MSTN: {reason}"]


@pytest.mark.parametrize(
    "row",
    [
        "product: ACD, model: flex, daily_rate: 7, from: 2022-01-01",
        "product: ACD, model: pooled, policy: bentley-e365, quantity: 1, from: 2022-01-01",
        "product: ACD, model: pooled, quantity: 1, from: 2012-01-01, until: 2013-01-01",
    ],
)
def test_a_product_under_a_policy_without_term_licences_needs_no_price(row: str) -> None:
    assert mistakes(entitled(row, products="ACD: {}"), strict=True) == []


def test_a_plug_in_without_an_entitlement_needs_no_price() -> None:
    assert mistakes('products:\n  A: {term_license_price: "1.00"}\n  B: {plugin_of: A}\n', strict=True) == []


def test_seats_for_a_replaced_code_are_a_warning() -> None:
    products = 'MSTN: {list_price: "1.00"}, ORD: {list_price: "1.00", replaces: [MSTN]}'
    (warning,) = warnings(entitled(POOL, products=products))
    assert warning.startswith("7 entitlements[0]: use of MSTN counts as ORD by line 5")


def test_an_unreadable_file_is_reported_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml: cannot be read: No such file"):
        load_contract(tmp_path / "nowhere.yaml")


def test_the_content_hash_is_of_the_bytes() -> None:
    assert read("").content_hash != read("# a comment\n").content_hash


def test_a_mistake_is_printed_with_file_line_path_reason_and_remedy() -> None:
    with pytest.raises(ContractInvalid) as refused:
        read_contract("acme.yaml", b"account: acme\ncountry: CZ\ncurrency: euro\n")
    assert str(refused.value) == (
        'acme.yaml:3: currency: "euro" is not a currency. Write three capital letters (ISO 4217), such as EUR.'
    )


def test_an_empty_end_means_an_open_end() -> None:
    (entitlement,) = read(entitled(POOL)).entitlements
    assert entitlement.until_at is None
    assert entitlement.in_force(entitlement.from_at)
    assert not entitlement.in_force(entitlement.from_at - 1)


def test_control_characters_of_a_policy_name_are_not_printed() -> None:
    body = {
        "account": "acme", "country": "CZ", "currency": "EUR", "policies": {"\x1f": None},
        "products": {"A": {}},
        "entitlements": [{"product": "A", "model": "pooled", "policy": "none", "quantity": 1, "from": "2022-01-01"}],
    }  # fmt: skip
    mistakes = examine_contract(json.dumps(body).encode()).mistakes
    assert any("name one of" in mistake.remedy for mistake in mistakes)
    assert all(
        mistake.path.isprintable() and mistake.reason.isprintable() and mistake.remedy.isprintable()
        for mistake in mistakes
    )
