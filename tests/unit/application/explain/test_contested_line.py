"""Which line of a statement a dispute packet is of, and why a line cannot be contested."""

from __future__ import annotations

import pytest

from pipeline.application.explain.contested_line import overused_line
from pipeline.model.errors import InputError
from pipeline.model.instants import Period
from pipeline.model.statements import Basis, PooledLine, SeatLine, Statement

LINE = PooledLine("MSTN", "CZ", "bentley-select@2016-04-01", 10, 13, (), 3, (), 2, 3, 96_000, 288_000)
WITHIN = PooledLine("STAAD", "CZ", "bentley-select@2016-04-01", 10, 9, (), 0, (), 0, 0, None, None)
BASIS = Basis(None, 0, 0, "sha256:0", "0", "embedded")
SEATS = SeatLine("ACD", "CZ", "single_user", "autodesk-flex@2021-09-24", 1, ("eva",), None)
STATEMENT = Statement("acme", Period.parse("2022Q2"), "EUR", (SEATS, LINE, WITHIN), BASIS)


def test_a_line_with_over_use_can_be_contested() -> None:
    assert overused_line(STATEMENT, "MSTN", "CZ") == LINE


@pytest.mark.parametrize(
    ("product", "country", "reason"),
    [
        ("STAAD", "CZ", "STAAD in CZ: has no over-use in 2022Q2"),
        ("ACD", "CZ", r"ACD in CZ: has no pooled line \(only single user\) in 2022Q2"),
        ("MSTN", "SK", "MSTN in SK: has no line in 2022Q2"),
        ("mstn\x1b[2J", "CZ", r"mstn\\u001b\[2J in CZ: has no line in 2022Q2"),
    ],
)
def test_a_line_without_over_use_is_refused_with_those_that_have_some(product: str, country: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        overused_line(STATEMENT, product, country)
    assert refused.value.remedy == "Lines with over-use: MSTN in CZ (by 3)"


def test_a_quarter_without_any_over_use_says_so() -> None:
    with pytest.raises(InputError, match="No line of this quarter has over-use"):
        overused_line(Statement("acme", STATEMENT.period, "EUR", (WITHIN,), BASIS), "MSTN", "CZ")
