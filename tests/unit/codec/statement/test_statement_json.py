"""Statements as JSON and CSV (INTERFACES, Statement)."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import cast

import orjson
import pytest

from pipeline.codec.csv_text import csv_cell
from pipeline.codec.statement.statement_csv import LINE_COLUMNS, statement_csv
from pipeline.codec.statement.statement_json import statement_json
from pipeline.model.instants import Period, iso
from pipeline.model.statements import (
    Adjustment,
    Basis,
    ChargedWindow,
    FlexLine,
    Line,
    PooledLine,
    SeatLine,
    Statement,
    TokenBlock,
    VoidEntry,
)
from tests.support.evidence.schema_examples import SCHEMAS, examples, validator

PERIOD = Period.parse("2022Q2")
SLOT_AT = 1_651_569_000_000
LINE = PooledLine(
    product="MSTN",
    country="CZ",
    policy="bentley-select@2016-04-01",
    entitled=10,
    peak=13,
    peak_slots=(SLOT_AT, SLOT_AT + 600_000),
    overuse=3,
    overuse_slots=(SLOT_AT,),
    overuse_days=2,
    term_licenses=3,
    unit_price=96_000,
    amount=288_000,
)
UNPRICED = replace(LINE, product="ORD", unit_price=None, amount=None, peak_slots=(), overuse_slots=())
STATEMENT = Statement(
    account="acme",
    period=PERIOD,
    currency="EUR",
    lines=(LINE, UNPRICED),
    basis=Basis(PERIOD.end_at, 120_034, 2, "sha256:abc", "0.1.0", "embedded"),
)
ALL_MODELS: tuple[Line, ...] = (
    LINE,
    UNPRICED,
    SeatLine("ORD", "CZ", "named", LINE.policy, 2, ("a@acme.example", "b@acme.example"), overflow=1),
    SeatLine("STAAD", "CZ", "practitioner", LINE.policy, 1, ("jana",)),
    FlexLine("ACD", "CZ", "autodesk-flex@2021-09-24", 41, 280, 7, (ChargedWindow("jana", SLOT_AT, 0, 7),)),
)
SCHEMA = validator(SCHEMAS[-1])


def as_record(statement: Statement) -> dict[str, object]:
    fields: dict[str, object] = orjson.loads(statement_json(statement))
    assert SCHEMA.is_valid(fields)
    return fields


def rows(statement: Statement) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(statement_csv(statement), newline="")))


def test_a_statement_is_written_with_the_names_and_order_of_the_interface() -> None:
    assert as_record(STATEMENT) == {
        "v": 1,
        "account": "acme",
        "period": "2022Q2",
        "from": "2022-04-01T00:00:00Z",
        "until": "2022-07-01T00:00:00Z",
        "state": "open",
        "currency": "EUR",
        "total": "2880.00",
        "adjustments_total": "0.00",
        "basis": {
            "complete_until": "2022-07-01T00:00:00Z",
            "heartbeats": 120_034,
            "dead_letters": 2,
            "contract": "sha256:abc",
            "seatbeat": "0.1.0",
            "engine": "embedded",
        },
        "lines": [
            {
                "product": "MSTN",
                "country": "CZ",
                "model": "pooled",
                "policy": "bentley-select@2016-04-01",
                "entitled": 10,
                "peak": 13,
                "peak_slots": ["2022-05-03T09:10:00Z", "2022-05-03T09:20:00Z"],
                "overuse": 3,
                "overuse_slots": ["2022-05-03T09:10:00Z"],
                "overuse_days": 2,
                "term_licenses": 3,
                "unit_price": "960.00",
                "amount": "2880.00",
            },
            {
                "product": "ORD",
                "country": "CZ",
                "model": "pooled",
                "policy": "bentley-select@2016-04-01",
                "entitled": 10,
                "peak": 13,
                "peak_slots": [],
                "overuse": 3,
                "overuse_slots": [],
                "overuse_days": 2,
                "term_licenses": 3,
                "unit_price": None,
                "amount": None,
            },
        ],
        "tokens": {"granted": 0, "debited": 0, "expired": 0, "balance": 0},
        "adjustments": [],
        "voids": [],
    }


def test_the_names_and_their_order_are_those_of_the_interfaces_example() -> None:
    [path] = [path for path in examples("statement", "valid") if path.name == "every-model.json"]
    example = orjson.loads(path.read_bytes())
    fields = orjson.loads(statement_json(STATEMENT))
    assert list(fields) == list(example)
    assert list(fields["lines"][0]) == list(example["lines"][0])
    assert fields["basis"].keys() == example["basis"].keys()
    assert list(fields["tokens"]) == list(example["tokens"])


def test_json_is_indented_utf_8_that_ends_a_line() -> None:
    written = statement_json(replace(STATEMENT, account="Škoda Praha"))
    assert written.startswith('{\n  "v": 1,\n  "account": "Škoda Praha",\n'.encode())
    assert written.endswith(b"}\n")


def test_unknown_completeness_is_null() -> None:
    unknown = replace(STATEMENT, basis=replace(STATEMENT.basis, complete_until=None))
    assert as_record(unknown)["basis"] == {**orjson.loads(statement_json(STATEMENT))["basis"], "complete_until": None}


def test_a_statement_may_have_no_lines() -> None:
    empty = replace(STATEMENT, lines=())
    assert as_record(empty)["lines"] == []
    assert as_record(empty)["total"] == "0.00"
    assert rows(empty) == []


@pytest.mark.parametrize(
    ("currency", "unit_price", "amount"),
    [
        ("JPY", "96000", "288000"),
        ("EUR", "960.00", "2880.00"),
        ("KWD", "96.000", "288.000"),
        ("CLF", "9.6000", "28.8000"),
    ],
)
def test_money_has_the_currencys_own_precision(currency: str, unit_price: str, amount: str) -> None:
    statement = replace(STATEMENT, currency=currency, lines=(LINE,))
    fields = orjson.loads(statement_json(statement))
    assert SCHEMA.is_valid(fields)
    assert (fields["lines"][0]["unit_price"], fields["lines"][0]["amount"]) == (unit_price, amount)
    assert fields["total"] == amount
    assert (rows(statement)[0]["unit_price"], rows(statement)[0]["amount"]) == (unit_price, amount)


@pytest.mark.parametrize(("currency", "total"), [("EUR", "0.05"), ("KWD", "0.005"), ("JPY", "5")])
def test_amounts_below_one_keep_their_leading_zeros(currency: str, total: str) -> None:
    statement = replace(STATEMENT, currency=currency, lines=(replace(LINE, unit_price=5, amount=5),))
    assert as_record(statement)["total"] == total


def test_csv_is_one_row_per_line_under_the_interfaces_names() -> None:
    told_rows = """
product,country,model,policy,entitled,peak,peak_slots,overuse,overuse_slots,overuse_days,term_licenses,unit_price,amount\
,users,overflow,charges,tokens,uncovered,windows
MSTN,CZ,pooled,bentley-select@2016-04-01,10,13,2022-05-03T09:10:00Z 2022-05-03T09:20:00Z,3,SLOT,2,3,960.00,2880.00,,,,,,
ORD,CZ,pooled,bentley-select@2016-04-01,10,13,,3,,2,3,,,,,,,,
ORD,CZ,named,bentley-select@2016-04-01,2,,,,,,,,,a@acme.example b@acme.example,1,,,,
STAAD,CZ,practitioner,bentley-select@2016-04-01,1,,,,,,,,,jana,,,,,
ACD,CZ,flex,autodesk-flex@2021-09-24,,,,,,,,,,,,41,280,7,jana/SLOT/0/7
"""
    assert statement_csv(replace(STATEMENT, lines=ALL_MODELS)) == told_rows.lstrip().replace(
        "SLOT", iso(SLOT_AT)
    ).replace("\n", "\r\n")


def test_csv_and_json_contain_the_same_values() -> None:
    statement = replace(STATEMENT, lines=ALL_MODELS[:-1])
    fields = as_record(statement)
    for row, line in zip(rows(statement), cast(list[dict[str, object]], fields["lines"]), strict=True):
        as_texts = {name: " ".join(value) if isinstance(value, list) else value for name, value in line.items()}
        said = {name: "" if value is None else str(value) for name, value in as_texts.items()}
        assert row == dict.fromkeys(LINE_COLUMNS, "") | said


def test_adjustments_and_voids_are_written_with_their_sum() -> None:
    adjustments = (
        Adjustment("2022Q1", "late_evidence", "MSTN", "CZ", "pooled", 0, 96_000),
        Adjustment("2022Q1", "void", "MSTN", "CZ", "pooled", 96_000, 48_000),
    )
    voids = (VoidEntry("v1", "eva", SLOT_AT, "a test install", "", "MSTN", "pc1", "", SLOT_AT, None),)
    fields = as_record(replace(STATEMENT, adjustments=adjustments, voids=voids, tokens=TokenBlock(500, 287, 0, 213)))
    assert fields["adjustments_total"] == "480.00"
    assert fields["adjustments"] == [
        {"period": "2022Q1", "kind": "late_evidence", "product": "MSTN", "country": "CZ", "model": "pooled",
         "before": "0.00", "after": "960.00", "amount": "960.00"},
        {"period": "2022Q1", "kind": "void", "product": "MSTN", "country": "CZ", "model": "pooled",
         "before": "960.00", "after": "480.00", "amount": "-480.00"},
    ]  # fmt: skip
    assert fields["voids"] == [
        {"id": "v1", "by": "eva", "at": iso(SLOT_AT), "reason": "a test install", "session": "", "product": "MSTN",
         "machine": "pc1", "user": "", "from": iso(SLOT_AT), "until": None},
    ]  # fmt: skip
    assert fields["tokens"] == {"granted": 500, "debited": 287, "expired": 0, "balance": 213}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", '=HYPERLINK("x","y")'])
def test_text_that_a_spreadsheet_would_execute_is_prefixed_with_an_apostrophe(text: str) -> None:
    assert csv_cell(text) == f"'{text}"
    assert rows(replace(STATEMENT, lines=(replace(LINE, product=text),)))[0]["product"] == f"'{text}"
    assert csv_cell([text, "b"]) == f"'{text} b"


@pytest.mark.parametrize("text", ["", "MSTN", "a=1", "a@acme.example", "1-2", " =1", "'x", 'say "x", twice'])
def test_other_text_is_unchanged(text: str) -> None:
    assert csv_cell(text) == text
    assert rows(replace(STATEMENT, lines=(replace(LINE, product=text),)))[0]["product"] == text


@pytest.mark.parametrize(
    ("value", "cell"),
    [(None, ""), (0, 0), (13, 13), (-1, -1), ([], ""), (["a"], "a"), (["a", "b"], "a b"), ([1, 2], "1 2")],
)
def test_numbers_stay_numbers_and_lists_are_joined_by_spaces(value: object, cell: object) -> None:
    assert csv_cell(value) == cell
