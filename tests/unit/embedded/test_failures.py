"""Why a run ends early is said in a line."""

from __future__ import annotations

import pytest

from pipeline.embedded.failures import PartFailed, one_line
from pipeline.store.client import StoreRefused


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PartFailed("the broker ended by itself"), "the broker ended by itself"),
        (ValueError("wrong"), "ValueError: wrong"),
        (ExceptionGroup("several", [ExceptionGroup("two", [PartFailed("it failed")])]), "it failed"),
        (PartFailed("first\nsecond"), "first"),
        (PartFailed("x" * 1_000), "x" * 500),
    ],
)
def test_an_error_is_a_short_line(error: Exception, line: str) -> None:
    assert one_line(error) == line


def test_an_error_of_the_store_is_named_by_its_kind() -> None:
    assert one_line(StoreRefused("no room", "DatabaseError")) == "DatabaseError: no room"
