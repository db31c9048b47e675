"""Contracts in the store: their bytes, the current version, and the tables for the views."""

from __future__ import annotations

import pytest

from pipeline.codec.contract.examination import read_contract
from pipeline.codec.schema_folder import schema_folder
from pipeline.model.contracts import Contract
from pipeline.model.instants import at_midnight, day_of
from pipeline.policy.catalogue import metering_catalogue
from pipeline.store.client import Client, Row
from pipeline.store.contract_versions import store_contract, store_policies, stored_contract
from tests.support.store.empty_stores import empty_store, new_account

PRODUCTS = """\
products:
  MSTN: {replaces: [MSTN-V8I, {code: MIDDLE, from: 2022-05-01}]}
  MIDDLE: {replaces: [{code: OLD, from: 2016-01-01, until: 2023-01-01}]}
"""


def stored(store: Client, body: str, applied_at: int = 0) -> Contract:
    contract = read_contract("test", body.encode())
    store_contract(store, contract, body.encode(), applied_at)
    return contract


def rows(store: Client, query: str, account: str) -> list[Row]:
    return [*store.query(query, {"account": account}).result_rows]


@pytest.mark.parametrize("path", sorted((schema_folder() / "contracts").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_stored_contract_survives_a_round_trip(store: Client, path: object) -> None:
    body = (schema_folder() / "contracts" / str(path)).read_text(encoding="utf-8")
    contract = stored(store, body)
    assert stored_contract(store, contract.account) == contract


@pytest.mark.parametrize(
    "comment", ["tab\there", "back\\slash \\n \\N", 'o\'neil "said" `so`', "{x:String} %s %(a)s", "ä😀"]
)
def test_a_contract_is_kept_byte_for_byte(store: Client, comment: str) -> None:
    body = f"account: {new_account()}\r\ncountry: CZ # {comment}\r\ncurrency: EUR\r\n"
    contract = stored(store, body)
    assert rows(store, "SELECT body FROM contracts WHERE account = {account:String}", contract.account) == [(body,)]


def test_the_contract_applied_last_is_current(store: Client) -> None:
    account = new_account()
    body = "account: {}\ncountry: {}\ncurrency: EUR\n"
    first = stored(store, body.format(account, "CZ"), 1_000)
    second = stored(store, body.format(account, "SK"), 2_000)
    assert stored_contract(store, account) == second
    stored(store, body.format(account, "CZ"), 3_000)
    assert stored_contract(store, account) == first
    query = "SELECT content_hash, country FROM current_contracts WHERE account = {account:String}"
    assert rows(store, query, account) == [(first.content_hash, "CZ")]


def test_a_contract_applied_before_the_current_one_does_not_become_current(store: Client) -> None:
    account = new_account()
    body = "account: {}\ncountry: {}\ncurrency: EUR\n"
    late = stored(store, body.format(account, "CZ"), 2_000)
    stored(store, body.format(account, "SK"), 1_000)
    assert stored_contract(store, account) == late


def test_an_account_without_a_contract_has_none_and_an_unmigrated_store_raises(store: Client) -> None:
    with empty_store(store) as empty:
        from_nothing = pytest.raises(Exception, match="contracts")
        with from_nothing:
            stored_contract(empty)
    assert stored_contract(store, new_account()) is None


def test_replaced_codes_are_stored_by_days_with_chains_resolved(store: Client) -> None:
    account = new_account()
    stored(store, f"account: {account}\ncountry: CZ\ncurrency: EUR\n{PRODUCTS}")
    query = (
        "SELECT code, toString(from_day), toString(until_day), product FROM replaced_codes FINAL "
        "WHERE account = {account:String} ORDER BY code, from_day"
    )
    spans_by_code: dict[tuple[object, object], list[tuple[object, object]]] = {}
    for code, from_day, until_day, product in rows(store, query, account):
        spans_by_code.setdefault((code, product), []).append((from_day, until_day))
    assert {key: _joined(spans) for key, spans in spans_by_code.items()} == {
        ("MIDDLE", "MSTN"): [("2022-05-01", "2101-01-01")],
        ("MSTN-V8I", "MSTN"): [("2000-01-01", "2101-01-01")],
        ("OLD", "MIDDLE"): [("2016-01-01", "2022-05-01")],
        ("OLD", "MSTN"): [("2022-05-01", "2023-01-01")],
    }


def _joined(spans: list[tuple[object, object]]) -> list[tuple[object, object]]:
    joined = spans[:1]
    for from_day, until_day in spans[1:]:
        if joined[-1][1] == from_day:
            joined[-1] = (joined[-1][0], until_day)
        else:
            joined.append((from_day, until_day))
    return joined


def test_storing_the_policies_twice_gives_the_rows_of_the_catalogue(store: Client) -> None:
    store_policies(store, metering_catalogue())
    query = (
        "SELECT policy, toString(from_day), slot_ms, opening_slot_counts, min_use_ms, unit FROM policies FINAL "
        "ORDER BY policy, from_day"
    )
    assert rows(store, query, "") == [
        (name, policy.id.partition("@")[2], policy.slot_ms, policy.opening_slot_counts, policy.min_use_ms, policy.unit)
        for name, timeline in sorted(metering_catalogue().items())
        for _, policy in timeline.rows
    ]


def test_each_policy_is_in_force_until_its_next_row(store: Client) -> None:
    query = "SELECT from_day, until_day FROM policies FINAL WHERE policy = 'bentley-select' ORDER BY from_day"
    policy_rows = rows(store, query, "")
    assert [until for _, until in policy_rows[:-1]] == [from_day for from_day, _ in policy_rows[1:]]
    starts = [at for at, _ in metering_catalogue()["bentley-select"].rows]
    assert [str(from_day) for from_day, _ in policy_rows] == ["2006-01-01", "2014-04-01", "2016-04-01"]
    assert [day_of(at) for at in starts] == [day_of(at_midnight(day)) for day, _ in policy_rows]  # type: ignore[arg-type]
