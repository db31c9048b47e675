"""Laws of reading contracts: it never crashes, reports all mistakes, and ignores order and style."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codec.contract.examination import examine_contract
from pipeline.codec.contract.yaml_document import read_yaml
from pipeline.codec.json_text import Json
from pipeline.codec.schema_folder import schema_folder
from pipeline.model.instants import calendar_day
from pipeline.rules.pool.percentage_price import percent_of
from tests.support.laws import examples

ENGINEERING = (schema_folder() / "contracts" / "engineering.yaml").read_bytes()
HEAD = "account: acme\ncountry: CZ\ncurrency: EUR\n"

MISTAKES = [
    "lateness_days: 0",
    "default_policy: nobodys",
    "policies: {own: {extends: own, from: 2022-01-01}}",
    "products: {A: {replaces: [A]}, B: {plugin_of: B}}",
    "entitlements: [{product: MISSING, model: pooled, quantity: 1, from: 2022-01-01}]",
    "token_packs: [{id: P, tokens: true, purchased_at: 2022-01-01}]",
    "assignments: [{product: MISSING, user: a, at: 2022-01-01}]",
    "checkouts: [{product: MISSING, user: a, machine: b, from: 2022-01-02, until: 2022-01-01}]",
]


def plain_values() -> st.SearchStrategy[Json]:
    keys = st.sampled_from(["account", "country", "products", "entitlements", "model", "from", "quantity", "A"])
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | st.text(max_size=3), inner, max_size=4),
        max_leaves=20,
    )


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(content: bytes) -> None:
    examined = examine_contract(content)
    assert (examined.contract is None) == bool(examined.mistakes)


@settings(max_examples=examples(60))
@given(st.data())
def test_a_contract_with_any_value_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    document, _ = read_yaml(ENGINEERING)
    assert document is not None
    root = json.loads(json.dumps(document.data))
    holder = root
    while True:
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        if not isinstance(holder[key], dict | list) or not holder[key] or data.draw(st.booleans()):
            break
        holder = holder[key]
    holder[key] = data.draw(plain_values())
    examined = examine_contract(json.dumps(root).encode())
    assert (examined.contract is None) == bool(examined.mistakes)
    assert all(each.reason.isprintable() and each.remedy.isprintable() for each in examined.mistakes)


@given(st.permutations(MISTAKES), st.integers(1, len(MISTAKES)))
def test_no_mistake_hides_another(rows: list[str], count: int) -> None:
    def mistakes_of(*chosen: str) -> set[tuple[str, str]]:
        content = HEAD + "".join(f"{row}\n" for row in chosen)
        return {(each.path, each.reason) for each in examine_contract(content.encode()).mistakes}

    chosen = rows[:count]
    assert set().union(*(mistakes_of(row) for row in chosen)) <= mistakes_of(*chosen)


@settings(max_examples=examples(25))
@given(st.permutations(ENGINEERING.decode().partition("token_packs:")[0].partition("entitlements:\n")[2].splitlines()))
def test_the_order_of_entitlements_does_not_matter(rows: list[str]) -> None:
    head, _, rest = ENGINEERING.decode().partition("entitlements:\n")
    tail = rest.partition("token_packs:")[2]
    examined = examine_contract((head + "entitlements:\n" + "\n".join(rows) + "\ntoken_packs:" + tail).encode())
    assert examined.mistakes == ()
    assert examined.contract is not None
    original = examine_contract(ENGINEERING).contract
    assert original is not None
    assert len(examined.contract.entitlements) == len(original.entitlements)


spans = st.tuples(st.integers(18_993, 19_010), st.none() | st.integers(1, 8), st.integers(1, 3))


@given(st.lists(spans, min_size=1, max_size=6))
def test_daily_rates_contradict_exactly_if_two_different_rates_are_in_force_on_a_day(
    rates: list[tuple[int, int | None, int]],
) -> None:
    rows = []
    for start, length, rate in rates:
        until = "" if length is None else f", until: {calendar_day(start + length)}"
        rows.append(f"  - {{product: A, model: flex, daily_rate: {rate}, from: {calendar_day(start)}{until}}}\n")
    content = f"{HEAD}products: {{A: {{}}}}\nentitlements:\n{''.join(rows)}"
    days = [set(range(start, start + 30 if length is None else start + length)) for start, length, _ in rates]
    contradicts = any(rates[a][2] != rates[b][2] and days[a] & days[b] for a, b in combinations(range(len(rates)), 2))
    assert bool(examine_contract(content.encode()).mistakes) == contradicts


@given(st.integers(0, 10**15), st.decimals("0.000001", 100, places=6))
def test_a_percentage_price_agrees_with_decimal_arithmetic(minor: int, percent: Decimal) -> None:
    exact = Decimal(minor) * percent / 100
    assert percent_of(minor, str(percent)) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))
