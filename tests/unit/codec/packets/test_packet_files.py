"""Dispute packets in every form and language: valid JSON, safe CSV, and pseudonyms."""

from __future__ import annotations

import csv
import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codec.packets.language import Tongue, language
from pipeline.codec.packets.packet_files import Form, packet_bytes
from pipeline.rules.dispute.pseudonyms import with_pseudonyms
from tests.support.evidence.packet_shorthand import packet_of
from tests.support.evidence.packet_texts import EXAMPLE, FORMS, each_language, four_sessions, text_of
from tests.support.evidence.schema_examples import DISPUTE, validator


@each_language
@pytest.mark.parametrize("price", [None, 96_000])
@pytest.mark.parametrize("entitled", [0, 1, 3])
def test_every_kind_of_packet_can_be_written_and_its_json_matches_the_schema(
    tongue: Tongue, price: int | None, entitled: int
) -> None:
    made = packet_of(four_sessions("u", "m", "s"), entitled=entitled, unit_price=price, name="")
    for form in FORMS:
        assert text_of(made, form, tongue)
    assert validator(DISPUTE).is_valid(orjson.loads(packet_bytes(made, "json", language(tongue))))
    assert ("0.00" in text_of(made, "text", "en")) == (price is not None)


@given(text=st.sampled_from(["=1+1", "+1", "-1", "@SUM(A1)"]))
def test_no_cell_of_the_evidence_is_a_formula(text: str) -> None:
    rows = list(csv.DictReader(io.StringIO(text_of(packet_of(four_sessions(text, text, text)), "csv"), newline="")))
    for row in rows:
        assert {row[name][:2] for name in ("user", "machine", "session")} == {f"'{text[0]}"}


def test_csv_and_json_contain_the_same_evidence() -> None:
    rows = list(csv.DictReader(io.StringIO(text_of(EXAMPLE, "csv"), newline="")))
    for row, record in zip(rows, orjson.loads(text_of(EXAMPLE, "json"))["evidence"], strict=True):
        expected = {name: " ".join(value) if isinstance(value, list) else str(value) for name, value in record.items()}
        assert row == expected


@each_language
@pytest.mark.parametrize("form", FORMS)
def test_a_packet_with_pseudonyms_contains_no_name(form: Form, tongue: Tongue) -> None:
    text = text_of(with_pseudonyms(EXAMPLE), form, tongue)
    assert not [name for row in EXAMPLE.evidence for name in row.session.key[4:] if name in text]
    assert ("user 1" in text) == (form != "text")
