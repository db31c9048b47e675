"""An entitlement is in force from its first day to the one before its last."""

from __future__ import annotations

import pytest

from pipeline.model.contracts import Entitlement


@pytest.mark.parametrize(
    ("until_at", "at", "is_in_force"),
    [(20, 9, False), (20, 10, True), (20, 19, True), (20, 20, False), (None, 9, False), (None, 10**15, True)],
)
def test_an_entitlement_is_in_force_from_its_start_until_before_its_end(
    until_at: int | None, at: int, is_in_force: bool
) -> None:
    assert Entitlement(("A",), "CZ", "pooled", "bentley-select", 1, 10, until_at).in_force(at) is is_in_force
