"""Commands and contract versions in the store: stored by their place, read in log order, repetitions ignored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from pipeline.codec.contract.examination import read_contract
from pipeline.model.orders import Assign, Command, Logged, Order, Unvoid, Void
from pipeline.model.statements import VoidEntry
from pipeline.rules.evidence.merge import fold
from pipeline.rules.orders.first_of_id import first_of_each
from pipeline.store.client import Client
from pipeline.store.contract_versions import contract_accounts, contract_versions, store_contract, stored_contract
from pipeline.store.counting.void_filter import has_evidence
from pipeline.store.order_log import PlacedCommand, is_stored, read_commands, write_commands
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.evidence.order_shorthand import AT, LATER, ORDERS, command
from tests.support.store.empty_stores import empty_store, new_account
from tests.support.store.written_facts import write_session_days


def placed(sent: Command, offset: int, log: str = "main", received_at: int = AT, partition: int = 0) -> PlacedCommand:
    return PlacedCommand(sent, log, "commands", partition, offset, received_at)


def orders(log: Iterable[Logged]) -> list[Order]:
    return [logged.command.order for logged in log]


def test_every_kind_of_order_survives_a_round_trip_in_log_order(store: Client) -> None:
    account = new_account()
    log = [command(order, f"c{number}", account) for number, order in enumerate(ORDERS)]
    write_commands(
        store, [placed(sent, offset, received_at=AT + offset) for offset, sent in reversed([*enumerate(log)])]
    )
    assert read_commands(store, account) == [Logged(sent, AT + offset) for offset, sent in enumerate(log)]
    assert read_commands(store, new_account()) == []


def test_a_repeated_message_is_a_single_row_and_two_orders_with_the_same_id_are_two(store: Client) -> None:
    account = new_account()
    first, other = (command(order, "c", account) for order in ORDERS[:2])
    for _ in range(2):
        write_commands(store, [placed(first, 0), placed(other, 1), placed(first, 2)])
    assert orders(read_commands(store, account)) == [ORDERS[0], ORDERS[1], ORDERS[0]]
    assert orders(first_of_each(read_commands(store, account))[0]) == [ORDERS[0]]


def test_commands_are_sorted_by_the_first_message_of_their_log_and_then_by_offset(store: Client) -> None:
    account = new_account()
    first, second, third, fourth = (command(order, "c", account) for order in ORDERS[:4])
    write_commands(store, [placed(fourth, 0, "a log made later", AT + 9), placed(first, 7, "posted:z", AT)])
    write_commands(store, [placed(second, 8, "posted:z", AT + 50), placed(third, 3, "b", AT + 5)])
    assert orders(read_commands(store, account)) == [*ORDERS[:4]]


def test_the_store_returns_the_command_at_a_place(store: Client) -> None:
    account = new_account()
    write_commands(store, [placed(command(ORDERS[0], "c", account), 7, partition=3)])
    assert is_stored(store, account, "commands", 3, 7)
    assert not is_stored(store, account, "commands", 3, 8)
    assert not is_stored(store, account, "commands", 2, 7)
    assert not is_stored(store, new_account(), "commands", 3, 7)


@pytest.mark.parametrize("text", ['o\'neil "said" `so`', "back\\slash {x:String} %s", "ä😀"])
def test_texts_are_stored_unchanged(store: Client, text: str) -> None:
    account = new_account()
    order = Assign(text, "CZ", "jana", AT)
    write_commands(store, [placed(replace(command(order, text, account), by=text), 0)])
    [logged] = read_commands(store, account)
    assert (logged.command.id, logged.command.by, logged.command.order) == (text, text, order)


def body(account: str, country: str) -> bytes:
    return f"account: {account}\ncountry: {country}\ncurrency: EUR\n".encode()


def test_versions_are_listed_in_order_of_their_last_application(store: Client) -> None:
    account = new_account()
    first, second = (read_contract("c", body(account, country)) for country in ("CZ", "SK"))
    store_contract(store, first, body(account, "CZ"), 1_000, "jana")
    store_contract(store, second, body(account, "SK"), 2_000, "petr")
    store_contract(store, first, body(account, "CZ"), 1_000, "jana")
    versions = contract_versions(store, account)
    assert [
        (version.content_hash, version.applied_at, version.applied_by, version.is_current) for version in versions
    ] == [
        (first.content_hash, 1_000, "jana", False),
        (second.content_hash, 2_000, "petr", True),
    ]
    assert stored_contract(store, account) == second
    assert stored_contract(store, account, first.content_hash) == first
    assert stored_contract(store, account, "sha256:0") is None
    assert account in contract_accounts(store)


def test_an_earlier_version_that_is_applied_again_is_current_again(store: Client) -> None:
    account = new_account()
    for at, country in ((1_000, "CZ"), (2_000, "SK"), (3_000, "CZ")):
        text = body(account, country)
        store_contract(store, read_contract("c", text), text, at)
    versions = contract_versions(store, account)
    assert [(version.applied_at, version.is_current) for version in versions] == [(2_000, False), (3_000, True)]
    assert stored_contract(store, account) == read_contract("c", body(account, "CZ"))


@pytest.mark.parametrize("countries", [("CZ", "SK", "PL"), ("PL", "SK", "CZ"), ("CZ", "SK", "CZ")])
@pytest.mark.parametrize("in_a_log", [True, False])
def test_the_last_of_several_versions_applied_in_the_same_millisecond_is_current(
    store: Client, countries: tuple[str, ...], *, in_a_log: bool
) -> None:
    account = new_account()
    applied = [read_contract("c", body(account, country)) for country in countries]
    for _ in range(2 if in_a_log else 1):  # a replay stores the whole log again
        for offset, (contract, country) in enumerate(zip(applied, countries, strict=True)):
            place = offset if in_a_log else None
            store_contract(store, contract, body(account, country), 1_000, str(offset), place)
    store.command("OPTIMIZE TABLE contracts FINAL")
    versions = contract_versions(store, account)
    in_order = [*reversed(dict.fromkeys(version.content_hash for version in reversed(applied)))]
    assert [version.content_hash for version in versions] == in_order
    assert (versions[-1].applied_by, versions[-1].is_current) == ("2", True)
    assert stored_contract(store, account) == applied[-1]
    query = "SELECT content_hash, country FROM current_contracts WHERE account = {account:String}"
    rows = store.query(query, {"account": account}).result_rows
    assert [*rows] == [(applied[-1].content_hash, countries[-1])]


def test_a_void_without_matching_evidence_is_detected(store: Client) -> None:
    account = new_account()
    beat = heartbeat(instant("2022-05-03 09:00"), instant("2022-05-03 10:00"), account=account)
    write_session_days(store, fold([beat]))
    void = VoidEntry("v", "", AT, "", "s", "", "", "", None, None)
    assert has_evidence(store, account, void)
    assert has_evidence(store, account, replace(void, product="MSTN", machine="pc1", user="eva"))
    assert not has_evidence(store, account, replace(void, machine="pc2"))
    assert not has_evidence(store, account, replace(void, session="S"))


def test_the_view_of_voids_has_the_voids_in_force(store: Client) -> None:
    account = new_account()
    void = Void("x", machine="pc1", from_at=AT, until_at=LATER)
    write_commands(
        store, [placed(command(void, "v1", account), 0), placed(command(Unvoid("v1", "y"), "u", account), 1)]
    )
    query = "SELECT id FROM voids WHERE account = {account:String}"
    assert store.query(query, {"account": account}).result_rows == []
    write_commands(store, [placed(command(void, "v2", account), 2)])
    assert list(store.query(query, {"account": account}).result_rows) == [("v2",)]


def test_a_store_without_commands_has_none(store: Client) -> None:
    with empty_store(store) as empty, pytest.raises(Exception, match="commands"):
        read_commands(empty, "acme")
