"""Laws of a statement's JSON: a round trip for every kind of line, amount and currency."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codec.statement.statement_json import read_statement_json, statement_json
from pipeline.model.contracts import EntitlementModel
from pipeline.model.instants import EARLIEST_AT, LATEST_AT, Period
from pipeline.model.statements import (
    Adjustment,
    AdjustmentKind,
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
from tests.support.evidence.schema_examples import examples

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)
counts = st.integers(0, 10**12)
money = st.integers(-(10**20), 10**20) | st.integers(-1_000, 1_000)
prices = st.none() | st.integers(0, 10**20) | st.integers(0, 1_000)
instants = st.integers(EARLIEST_AT // 1000, LATEST_AT // 1000 - 1).map(lambda seconds: seconds * 1000)
policies = st.sampled_from(("bentley-select@2016-04-01", "our own@2022-01-01"))
quarters = st.builds(lambda year, quarter: f"{year}Q{quarter}", st.integers(2000, 2100), st.integers(1, 4))
models = st.sampled_from(("pooled", "named", "practitioner", "single_user", "flex"))


def _tuples(elements: st.SearchStrategy[int], size: int = 3) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(elements, max_size=size).map(tuple)


pooled = st.builds(
    PooledLine,
    product=names, country=texts, policy=policies, entitled=counts, peak=counts, peak_slots=_tuples(instants),
    overuse=counts, overuse_slots=_tuples(instants), overuse_days=counts, term_licenses=counts, unit_price=prices,
    amount=prices, model=st.just("pooled"),
)  # fmt: skip
users = st.lists(names, max_size=3).map(tuple)
named = st.builds(SeatLine, names, texts, st.just("named"), policies, counts, users, overflow=counts)
assigned = st.builds(
    SeatLine,
    names,
    texts,
    st.sampled_from(("practitioner", "single_user")),
    policies,
    counts,
    users,
    overflow=st.none(),
)
windows = st.lists(st.builds(ChargedWindow, names, instants, counts, counts), max_size=3).map(tuple)
flex = st.builds(FlexLine, names, texts, policies, counts, counts, counts, windows, model=st.just("flex"))
lines: st.SearchStrategy[Line] = st.one_of(pooled, named, assigned, flex)
kinds: st.SearchStrategy[AdjustmentKind] = st.sampled_from(("late_evidence", "void", "contract", "credit"))
line_models: st.SearchStrategy[EntitlementModel] = models  # type: ignore[assignment]  # the five names are the models
adjustments = st.builds(Adjustment, quarters, kinds, names, texts, line_models, money, money)
voids = st.builds(
    VoidEntry, names, texts, instants, texts, texts, texts, texts, texts, st.none() | instants, st.none() | instants
)
blocks = st.none() | st.builds(TokenBlock, st.integers(1, 10**6), counts, counts, counts)
bases = st.builds(
    Basis, st.none() | instants, counts, counts, st.just("sha256:0a"), names, st.sampled_from(("embedded", "server"))
)
statements = st.builds(
    Statement,
    account=names,
    period=quarters.map(Period.parse),
    currency=st.sampled_from(("EUR", "CZK", "JPY", "KWD", "CLF")),
    lines=st.lists(lines, max_size=4).map(tuple),
    basis=bases,
    state=st.sampled_from(("open", "closed")),
    tokens=blocks,
    adjustments=st.lists(adjustments, max_size=3).map(tuple),
    voids=st.lists(voids, max_size=2).map(tuple),
)


@given(statement=statements)
def test_a_statement_survives_a_round_trip(statement: Statement) -> None:
    written = statement_json(statement)
    assert read_statement_json(written) == statement
    assert read_statement_json(written.decode()) == statement
    assert statement_json(read_statement_json(written)) == written


@pytest.mark.parametrize("path", examples("statement", "valid"), ids=lambda path: path.name)
def test_the_examples_of_the_interface_survive_a_round_trip(path: Path) -> None:
    text = path.read_bytes()
    expected = orjson.loads(text)
    assert orjson.loads(statement_json(read_statement_json(text))) == expected


@pytest.mark.parametrize("path", examples("statement", "invalid"), ids=lambda path: path.name)
def test_the_reader_refuses_what_the_schema_refuses(path: Path) -> None:
    with pytest.raises(ValueError, match=r"^\$"):
        read_statement_json(getattr(path, "read_bytes")())  # noqa: B009
