"""A remedy works: what it says to write in place of a number is accepted where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codec.contract.examination import examine_contract
from pipeline.model.errors import Mistake
from tests.support.laws import examples

PLACES = {
    "list_price": "products: {{A: {{list_price: {}}}}}",
    "term_license_percent": 'products: {{A: {{list_price: "1", term_license_percent: {}}}}}',
    "from_version": "products: {{A: {{idle_detection: {{from_version: {}}}}}}}",
    "name": "products: {{A: {{name: {}}}}}",
    "min_use": "policies: {{own: {{extends: bentley-select, from: 2022-01-01, min_use: {}}}}}",
    "country": "entitlements: [{{product: A, model: pooled, quantity: 1, country: {}, from: 2022-01-01}}]",
}
NUMBERS = st.one_of(
    st.integers(-(10**6), 10**21).map(str),
    st.decimals(0, 10**9, places=3).map(str),
    st.floats(0, 1e25).map(repr),
    st.sampled_from(("1e3", "1E3", "1.5e2", "1e-3", ".5", "5.", "+5", "0x10", "0o17", "1_000", ".inf", ".nan", "true")),
)
_SUGGESTED = re.compile(r'(?:in quotes: |such as )(".*"|\S+)\.$')


def noted(place: str, written: str, currency: str = "EUR") -> Iterable[Mistake]:
    """The mistakes at a place of a contract where ``written`` stands."""
    text = f"account: acme\ncountry: CZ\ncurrency: {currency}\n{PLACES[place].format(written)}\n"
    return [mistake for mistake in examine_contract(text.encode()).mistakes if mistake.path.endswith(f".{place}")]


@pytest.mark.parametrize(
    ("written", "currency", "remedy"),
    [
        ("1e3", "EUR", 'Put it in quotes: "1000.00".'),
        ("1e3", "JPY", 'Put it in quotes: "1000".'),
        ("6000.00", "EUR", 'Put it in quotes: "6000.00".'),
        (".5", "EUR", 'Put it in quotes: "0.50".'),
        ("-5", "EUR", 'Write an amount in quotes, with a point before the decimals, such as "1150.00".'),
        ("1150.5", "JPY", 'Write an amount in quotes, with a point before the decimals, such as "1150".'),
    ],
)
def test_a_price_that_is_a_number_is_written_out_in_quotes(written: str, currency: str, remedy: str) -> None:
    (mistake,) = noted("list_price", written, currency)
    assert mistake.remedy == remedy


@settings(max_examples=examples(150), deadline=None)
@given(written=NUMBERS, place=st.sampled_from(sorted(PLACES)), currency=st.sampled_from(("EUR", "JPY", "KWD")))
def test_what_a_remedy_suggests_is_accepted(written: str, place: str, currency: str) -> None:
    for mistake in noted(place, written, currency):
        suggested = _SUGGESTED.search(mistake.remedy)
        if suggested is not None:
            assert noted(place, suggested[1], currency) == [], mistake.remedy
