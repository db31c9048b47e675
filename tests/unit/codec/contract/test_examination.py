"""Reading contracts, and refusals with line, path and remedy (INTERFACES, Contract)."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from pipeline.codec.contract.examination import examine_contract, load_contract, read_contract
from pipeline.model.contracts import Checkout, Contract, Replacement
from pipeline.model.errors import ContractInvalid, InputError
from pipeline.model.instants import HOUR_MS, MINUTE_MS, iso
from tests.support.evidence.contract_shorthand import HEAD, INVALID, SAMPLES, entitled, mistakes, read

GOLDEN = Path(__file__).parents[3] / "golden" / "contracts" / "mistakes.txt"
BOTH_OF_A_PAIR = {"replacement-loop.yaml", "plugin-loop.yaml"}


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


def test_structural_mistakes_and_contradictions_are_reported_together() -> None:
    body = entitled(
        "product: MSTM, model: pooled, policy: bentley-css, quantity: -1, from: 2010-01-01, until: 2009-01-01, x: 1"
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


@pytest.mark.parametrize(("days", "is_valid"), [(0, False), (1, True), (365, True), (366, False)])
def test_lateness_is_one_to_365_days(days: int, is_valid: bool) -> None:
    assert (mistakes(f"lateness_days: {days}\n") == []) is is_valid


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
