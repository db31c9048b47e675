"""Custom policies of a contract: slots, bases, and the entitlements under them."""

from __future__ import annotations

import json

import pytest

from pipeline.codec.contract.examination import examine_contract
from tests.support.evidence.contract_shorthand import POOL, entitled, mistakes


def test_an_entitlement_cannot_begin_before_its_custom_policy() -> None:
    policies = "{relaxed: {extends: bentley-select, min_use: 12m, from: 2022-06-01}}"
    assert mistakes(entitled(f"{POOL}, policy: relaxed", policies=policies)) == [
        "7 entitlements[0].from: begins on 2022-01-01, but relaxed is defined from 2022-06-01 on"
    ]


def test_an_entitlement_under_an_invalid_policy_is_not_reported_too() -> None:
    body = entitled(f"{POOL}, policy: relaxed", policies="{relaxed: {extends: nothing, from: 2022-01-01}}")
    assert [each.partition(":")[0] for each in mistakes(body)] == ["4 policies.relaxed.extends"]


def test_each_of_the_policies_that_extend_each_other_is_reported() -> None:
    body = """\
        policies:
          a: {extends: b, from: 2022-01-01}
          b: {extends: a, from: 2022-01-01}
          c: {extends: a, from: 2022-01-01}
        """
    assert mistakes(body) == [
        "5 policies.a.extends: policy a extends itself through b",
        "6 policies.b.extends: policy b extends itself through a",
    ]


@pytest.mark.parametrize(
    ("slot", "is_valid"),
    [("10m", True), ("90m", True), ("1d", True), ("50m", False), ("15m", False), ("2d", False), ("0m", False)],
)
def test_a_slot_divides_a_day_and_is_a_multiple_of_ten_minutes(slot: str, is_valid: bool) -> None:
    reasons = mistakes(f"policies:\n  own: {{extends: bentley-select, slot: {slot}, from: 2022-01-01}}\n")
    assert (reasons == []) is is_valid


def test_control_characters_of_a_policy_name_are_not_printed() -> None:
    body = {
        "account": "acme", "country": "CZ", "currency": "EUR", "policies": {"\x1f": None},
        "products": {"A": {}},
        "entitlements": [{"product": "A", "model": "pooled", "policy": "none", "quantity": 1, "from": "2022-01-01"}],
    }  # fmt: skip
    mistakes = examine_contract(json.dumps(body).encode()).mistakes
    assert any("name one of" in mistake.remedy for mistake in mistakes)
    assert all(
        mistake.path.isprintable() and mistake.reason.isprintable() and mistake.remedy.isprintable()
        for mistake in mistakes
    )
