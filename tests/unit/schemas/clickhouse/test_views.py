"""Views for analysts agree with the rules, whether or not the rows of the tables are merged yet."""

from __future__ import annotations

import pytest

from pipeline.model.contracts import Contract, Product, Replacement
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import Period
from pipeline.rules.evidence.merge import fold
from pipeline.rules.pool.counting import Pool
from pipeline.store.client import Client, Row
from pipeline.store.contract_versions import store_contract
from tests.support.evidence.evidence_shorthand import beating, heartbeat, instant
from tests.support.evidence.random_fleets import pure_counts, reading_of
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_session_days

pytestmark = pytest.mark.slow

PERIOD = Period.parse("2022Q2")


def use(since: str, at: str, account: str, machine: str = "pc1", product: str = "MSTN") -> list[Heartbeat]:
    """A session with a beat every five minutes."""
    return beating(heartbeat(instant(since), instant(at), account=account, machine=machine, product=product))


def stored(store: Client, heartbeats: list[Heartbeat], *replaces: Replacement) -> Contract:
    """Insert heartbeats one by one, some of them twice, under a contract in which MSTN replaces codes."""
    account = heartbeats[0].account
    product = Product("MSTN", replaces=replaces)
    contract = Contract(account, "CZ", "EUR", f"sha256:{account}", products={"MSTN": product})
    store_contract(store, contract, b"", 0)
    for beat in [*heartbeats, *heartbeats[::2]]:
        write_session_days(store, fold([beat]))
    return contract


def asked(store: Client, query: str, account: str) -> list[Row]:
    return [*store.query(f"{query} WHERE account = {{account:String}} ORDER BY ALL", {"account": account}).result_rows]


def counts_by(store: Client, policy: str, account: str) -> dict[Pool, dict[int, int]]:
    counts: dict[Pool, dict[int, int]] = {}
    query = "SELECT product, country, toUnixTimestamp64Milli(slot_at), units, policy FROM slot_counts"
    for product, country, slot_at, units, name in asked(store, query, account):
        assert isinstance(slot_at, int)
        assert isinstance(units, int)
        if name == policy:
            counts.setdefault((str(product), str(country)), {})[slot_at] = units
    return counts


def rules_by(policy: str, contract: Contract, heartbeats: list[Heartbeat]) -> dict[Pool, dict[int, int]]:
    judged = Contract(contract.account, "CZ", "EUR", "", default_policy=policy, products=contract.products)
    return pure_counts(reading_of(judged), fold(heartbeats), PERIOD)


def test_usage_has_a_row_per_session_and_day_with_product_and_country_by_contract(store: Client) -> None:
    account = new_account()
    heartbeats = use("2022-05-03 23:45", "2022-05-04 00:15", account, product="OLD")
    stored(store, heartbeats, Replacement("OLD"))
    query = "SELECT product, country, reported_product, reported_country, usage, toString(day), machine"
    query += ", toUnixTimestamp64Milli(opened_at), toUnixTimestamp64Milli(last_at), arraySort(used_slots) FROM usage"
    head, opened_at = ("MSTN", "CZ", "OLD", "", "production"), instant("2022-05-03 23:45")
    assert asked(store, query, account) == [
        (*head, "2022-05-03", "pc1", opened_at, instant("2022-05-04 00:00"), [142, 143]),
        (*head, "2022-05-04", "pc1", opened_at, instant("2022-05-04 00:15"), [0, 1]),
    ]


def test_usage_has_the_reported_product_without_a_contract(store: Client) -> None:
    account = new_account()
    write_session_days(store, fold(use("2022-05-03 15:01", "2022-05-03 15:12", account)))
    assert asked(store, "SELECT product, country FROM usage", account) == [("MSTN", "")]


def test_a_new_contract_changes_the_reading_of_stored_facts(store: Client) -> None:
    account = new_account()
    heartbeats = use("2022-05-03 15:01", "2022-05-03 15:12", account, product="OLD")
    stored(store, heartbeats, Replacement("OLD"))
    later = Contract(account, "SK", "EUR", "sha256:later", products={"MSTN": Product("MSTN")})
    store_contract(store, later, b"", 1)
    assert asked(store, "SELECT product, country FROM usage", account) == [("OLD", "SK")]


def test_usage_slots_has_a_row_per_used_slot(store: Client) -> None:
    account = new_account()
    stored(store, use("2022-05-03 23:45", "2022-05-04 00:15", account))
    answer = asked(store, "SELECT toUnixTimestamp(slot_at) * 1000 FROM usage_slots", account)
    slots = ("2022-05-03 23:40", "2022-05-03 23:50", "2022-05-04 00:00", "2022-05-04 00:10")
    assert answer == [(instant(at),) for at in slots]


def test_slot_counts_agree_with_the_rules_on_unmerged_duplicate_rows(store: Client) -> None:
    account = new_account()
    heartbeats = [
        *use("2022-05-03 15:01", "2022-05-03 15:42", account),
        *use("2022-05-03 15:01", "2022-05-03 15:42", account, "pc1", "ORD"),
        *use("2022-05-03 15:09", "2022-05-03 15:12", account, "pc2"),
        *use("2022-05-03 23:49", "2022-05-04 00:05", account, "pc3"),
        *use("2022-05-03 16:01", "2022-05-03 16:11", account, "pc4"),
    ]
    contract = stored(store, heartbeats)
    for policy in ("bentley-select", "bentley-css", "bentley-select-deployed", "bentley-e365", "bentley-els"):
        assert counts_by(store, policy, account) == rules_by(policy, contract, heartbeats), policy
    assert counts_by(store, "bentley-select", account)["MSTN", "CZ"] != {}


def test_slot_counts_leave_out_use_that_is_not_production(store: Client) -> None:
    account = new_account()
    stored(store, [beat._replace(usage="trial") for beat in use("2022-05-03 15:01", "2022-05-03 15:42", account)])
    assert asked(store, "SELECT * FROM slot_counts", account) == []


def test_slot_counts_judge_a_session_as_a_whole_on_the_day_its_code_is_replaced(store: Client) -> None:
    account = new_account()
    heartbeats = use("2022-05-03 23:56", "2022-05-04 00:07", account, product="OLD")
    contract = stored(store, heartbeats, Replacement("OLD", instant("2022-05-04 00:00")))
    for policy in ("bentley-e365", "bentley-select"):
        assert counts_by(store, policy, account) == rules_by(policy, contract, heartbeats), policy
    assert counts_by(store, "bentley-e365", account) == {
        ("OLD", "CZ"): {instant("2022-05-03 23:50"): 1},
        ("MSTN", "CZ"): {instant("2022-05-04 00:00"): 1},
    }


def test_slot_counts_count_a_machine_with_two_codes_of_a_product_once(store: Client) -> None:
    account = new_account()
    heartbeats = [
        *use("2022-05-03 15:01", "2022-05-03 15:12", account),
        *use("2022-05-03 15:01", "2022-05-03 15:12", account, product="OLD"),
    ]
    contract = stored(store, heartbeats, Replacement("OLD"))
    for policy in ("bentley-select", "bentley-select-deployed"):
        assert counts_by(store, policy, account) == rules_by(policy, contract, heartbeats), policy
