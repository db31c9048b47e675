"""Versions of products are compared number by number."""

from __future__ import annotations

import pytest

from pipeline.rules.tokens.versions import is_at_least


@pytest.mark.parametrize(
    ("version", "first", "expected"),
    [
        ("2021", "2021", True),
        ("2021.0", "2021", True),
        ("2021", "2021.0.0", True),
        ("2020.10", "2020.9", True),
        ("2020.9", "2020.10", False),
        ("10.17.2", "10.3", True),
        ("R2021b", "R2021", True),
        ("", "1", False),
    ],
)
def test_versions_are_compared_number_by_number(version: str, first: str, expected: bool) -> None:
    assert is_at_least(version, first) == expected
