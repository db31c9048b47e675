"""Users and machines are compared after Unicode NFC and case folding (RULES 1)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.text import fold


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Jana@ACME.example", "jana@acme.example"),
        ("WS-0123", "ws-0123"),
        ("Zo\u00eb", "ZOE\u0308"),
        ("STRASSE", "stra\u00dfe"),
        ("\u212b", "\u00e5"),
        ("\u03a3", "\u03c2"),
    ],
)
def test_names_that_differ_in_case_or_unicode_form_are_equal(first: str, second: str) -> None:
    assert fold(first) == fold(second)


@pytest.mark.parametrize(("first", "second"), [("eva", "eve"), ("eva", "eva "), ("zoe", "zo\u00eb")])
def test_other_names_stay_different(first: str, second: str) -> None:
    assert fold(first) != fold(second)


@given(st.text(max_size=8))
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
