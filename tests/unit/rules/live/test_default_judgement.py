"""Use without a contract is judged as under an empty contract."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.contracts import Contract
from pipeline.model.instants import Period
from pipeline.policy.catalogue import metering_catalogue
from pipeline.policy.timeline import BeforeFirstRow
from pipeline.rules.live.default_judgement import DefaultJudgement
from tests.support.evidence.random_fleets import reading_of

EMPTY = Contract("acme", country="", currency="EUR", content_hash="")
DEFAULT = DefaultJudgement(metering_catalogue()[EMPTY.default_policy])


@given(st.integers(2014, 2040), st.integers(1, 4), st.sampled_from(["MSTN", "ACD"]), st.sampled_from(["", "CZ"]))
def test_the_default_judgement_equals_that_of_an_empty_contract(
    year: int, quarter: int, code: str, country: str
) -> None:
    period = Period.parse(f"{year}Q{quarter}")
    assert DEFAULT.judgements(code, country, period) == reading_of(EMPTY).judgements(code, country, period)


def test_a_period_before_the_first_row_of_the_policy_is_an_error() -> None:
    ancient = Period.parse("2003Q1")
    with pytest.raises(BeforeFirstRow):
        DEFAULT.judgements("MSTN", "CZ", ancient)
    with pytest.raises(BeforeFirstRow):
        reading_of(EMPTY).judgements("MSTN", "CZ", ancient)
