"""The validity of token packs (RULES 6)."""

from __future__ import annotations

from pipeline.rules.tokens.pack_order import expires_at
from tests.support.evidence.evidence_shorthand import instant


def test_a_pack_expires_on_the_same_date_a_year_later_and_on_28_february_for_the_29th() -> None:
    assert expires_at(instant("2022-01-10 13:30")) == instant("2023-01-10 13:30")
    assert expires_at(instant("2024-02-29 00:00")) == instant("2025-02-28 00:00")
    assert expires_at(instant("2023-02-28 00:00")) == instant("2024-02-28 00:00")
    assert expires_at(instant("2023-03-01 00:00")) == instant("2024-03-01 00:00")
