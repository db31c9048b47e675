"""Texts, plurals, numbers, money and dates in every language of packets."""

from __future__ import annotations

from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codec.packets.language import TONGUES, Phrase, Tongue, language, plural_of
from pipeline.model.instants import Period
from pipeline.rules.dispute.flags import FLAGS
from tests.support.evidence.evidence_shorthand import instant
from tests.support.evidence.packet_texts import each_language

PLURALS = {"en": ("one", "other"), "fr": ("one", "other"), "cs": ("one", "few", "other")}
"""The plural forms that whole numbers take (Unicode CLDR)."""


def forms_of(text: Phrase) -> dict[str, str]:
    return {"": text} if isinstance(text, str) else {str(form): form_text for form, form_text in text.items()}


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@each_language
def test_every_text_exists_in_every_language_with_the_same_placeholders(tongue: Tongue) -> None:
    english, other = language("en"), language(tongue)
    assert list(other.texts) == list(english.texts)
    assert list(other.flags) == list(other.meanings) == list(FLAGS)
    for key, text in other.texts.items():
        expected = set().union(*(places(form) for form in forms_of(english.texts[key]).values()))
        for form in forms_of(text).values():
            assert places(form) == expected, key


@each_language
def test_every_counted_text_has_the_plural_forms_of_its_language(tongue: Tongue) -> None:
    for key, text in language(tongue).texts.items():
        assert isinstance(text, dict) == isinstance(language("en").texts[key], dict), key
        if isinstance(text, dict):
            assert tuple(text) == PLURALS[tongue], key


@given(n=st.integers(0, 10**9), tongue=st.sampled_from(TONGUES))
def test_every_counted_text_has_a_form_for_any_number(n: int, tongue: Tongue) -> None:
    words = language(tongue)
    for key, text in words.texts.items():
        if isinstance(text, dict):
            values = {name: "x" for form in text.values() for name in places(form) - {"n"}}
            assert words.number(n) in words.say(key, n, **values)


@pytest.mark.parametrize(
    ("tongue", "forms"),
    [
        ("en", "other one other other other other other other"),
        ("fr", "one one other other other other other other"),
        ("cs", "other one few few few other other other"),
    ],
)
def test_plurals_are_those_of_the_language(tongue: Tongue, forms: str) -> None:
    assert " ".join(plural_of(tongue, n) for n in (0, 1, 2, 3, 4, 5, 21, 102)) == forms


@pytest.mark.parametrize(
    ("tongue", "number", "money", "date", "first", "quarter"),
    [
        ("en", "12,345", "-1,234.50\u00a0EUR", "29 June 2022", "1 April 2022", "Q2 2022"),
        ("fr", "12\u202f345", "-1\u202f234,50\u00a0EUR", "29 juin 2022", "1er avril 2022", "T2 2022"),
        ("cs", "12\u00a0345", "-1\u00a0234,50\u00a0EUR", "29. června 2022", "1. dubna 2022", "2. čtvrtletí 2022"),
    ],
)
def test_numbers_money_and_dates_are_written_as_the_language_does(
    tongue: Tongue, number: str, money: str, date: str, first: str, quarter: str
) -> None:
    words = language(tongue)
    assert (words.number(12_345), words.money(-123_450, "EUR")) == (number, money)
    assert (words.date(instant("2022-06-29 23:59")), words.date(instant("2022-04-01 00:00"))) == (date, first)
    assert words.quarter(Period.parse("2022Q2").name) == quarter


def test_a_currency_without_decimals_has_none() -> None:
    assert language("fr").money(1_234_567, "JPY") == "1\u202f234\u202f567\u00a0JPY"
