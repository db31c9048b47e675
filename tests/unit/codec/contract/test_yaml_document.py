"""YAML as contracts may use it: keys and dates as text, line ends, aliases, and refusals of hostile files."""

from __future__ import annotations

import pytest

from pipeline.codec.contract.examination import examine_contract
from tests.support.evidence.contract_shorthand import HEAD, POOL, entitled, mistakes, read


def test_a_yaml_1_1_boolean_as_country_is_refused_with_the_reason() -> None:
    assert mistakes("", f"%YAML 1.1\n---\n{HEAD.replace('CZ', 'NO')}") == [
        "4 country: NO is a truth value, not a country"
    ]


def test_norway_is_read_as_a_country_and_not_as_false() -> None:
    assert read("", HEAD.replace("CZ", "NO")).country == "NO"


def test_a_date_means_the_same_with_and_without_quotes() -> None:
    bare, quoted = read(entitled(POOL)), read(entitled(POOL.replace("2022-01-01", '"2022-01-01"')))
    assert bare.entitlements == quoted.entitlements


def test_a_product_code_that_looks_like_a_number_is_read_as_text() -> None:
    assert list(read("products: {007: {}, true: {}, 2022-01-01: {}}").products) == ["007", "true", "2022-01-01"]


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
