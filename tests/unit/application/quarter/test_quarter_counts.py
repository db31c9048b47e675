"""A statement from the store: its basis, and the order of its lines."""

from __future__ import annotations

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.quarter_counts import computed_statement
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.usage_frames import Delivery
from pipeline.model.contracts import Contract, Entitlement, Product
from pipeline.model.instants import Period
from pipeline.model.statements import Statement
from pipeline.rules.evidence.merge import fold
from pipeline.store.account_totals import latest_evidence_at
from pipeline.store.client import Client
from pipeline.store.completeness_marks import ALL_ACCOUNTS, read_complete_until
from pipeline.store.facts import write_completeness, write_dead_letters
from pipeline.store.migrations import migrate
from tests.support.evidence.evidence_shorthand import beating, heartbeat, instant
from tests.support.evidence.random_fleets import reading_of
from tests.support.store.empty_stores import empty_store, new_account
from tests.support.store.written_facts import write_deliveries, write_session_days

PERIOD = Period.parse("2022Q2")


def contract_of(account: str) -> Contract:
    """One seat of MSTN at 960.00, and ORD without a price."""
    return Contract(
        account,
        "CZ",
        "EUR",
        "sha256:abc",
        products={"MSTN": Product("MSTN", unit_price=96_000), "ORD": Product("ORD")},
        entitlements=(Entitlement(("MSTN",), "CZ", "pooled", "bentley-select", 1, instant("2022-01-01 00:00"), None),),
    )


def statement_of(store: Client, account: str) -> Statement:
    return computed_statement(AccountView.of(store, reading_of(contract_of(account))), PERIOD, seatbeat="1.2.3")


def letter(account: str, offset: int, index: int, log: str = "log", code: str = "missing_field") -> DeadLetter:
    return DeadLetter(log, "heartbeats", 0, offset, index, account, code, "at", "is absent", "{}", b"", 0, "a.json", 1)


def test_an_account_without_any_use_has_its_entitled_lines_and_an_empty_basis(store: Client) -> None:
    statement = statement_of(store, new_account())
    assert [(line.product, line.country, line.entitled, line.peak, line.amount) for line in statement.pooled] == [
        ("MSTN", "CZ", 1, 0, 0)
    ]
    assert (statement.total, statement.state, statement.currency) == (0, "open", "EUR")
    basis = statement.basis
    assert (basis.complete_until, basis.heartbeats, basis.contract) == (None, 0, "sha256:abc")
    assert (basis.seatbeat, basis.engine) == ("1.2.3", "embedded")


def test_lines_stand_in_order_and_the_total_leaves_out_what_has_no_amount(store: Client) -> None:
    account = new_account()
    for machine in ("pc1", "pc2", "pc3"):
        for product in ("ORD", "MSTN"):
            use = heartbeat(
                instant("2022-05-03 15:01"),
                instant("2022-05-03 15:12"),
                account=account,
                machine=machine,
                product=product,
            )
            write_session_days(store, fold(beating(use)))
    statement = statement_of(store, account)
    assert [(line.product, line.peak, line.overuse, line.term_licenses, line.amount) for line in statement.pooled] == [
        ("MSTN", 3, 2, 2, 192_000),
        ("ORD", 3, 3, 3, None),
    ]
    assert statement.total == 192_000


def test_another_accounts_evidence_is_left_out(store: Client) -> None:
    account, other = new_account(), new_account()
    use = heartbeat(instant("2022-05-03 15:01"), instant("2022-05-03 15:12"), account=other)
    write_session_days(store, fold([use]))
    write_deliveries(store, {other: [Delivery("log", "heartbeats", 0, 1, 5)]})
    statement = statement_of(store, account)
    assert (statement.pooled[0].peak, statement.basis.heartbeats) == (0, 0)


def test_deliveries_that_were_written_twice_are_counted_once(store: Client) -> None:
    account = new_account()
    places = [Delivery("log", "heartbeats", 0, 0, 250), Delivery("log", "heartbeats", 1, 0, 3)]
    places += [Delivery("log", "heartbeats", 0, 1_500, 7), Delivery("other log", "heartbeats", 0, 0, 11)]
    for written in (places, places[:2], places[::-1]):
        write_deliveries(store, {account: written})
    assert statement_of(store, account).basis.heartbeats == 250 + 3 + 7 + 11


def test_dead_letters_are_counted_by_their_place(store: Client) -> None:
    account = new_account()
    before = statement_of(store, account).basis.dead_letters
    letters = [letter(account, 0, 0), letter(account, 0, 1), letter(account, 1, 0), letter(account, 0, 0, "other log")]
    write_dead_letters(store, letters)
    write_dead_letters(store, [*letters, letter(new_account(), 9, 9)])
    assert statement_of(store, account).basis.dead_letters == before + 4


def test_dead_letters_without_an_account_are_counted_on_every_statement(store: Client) -> None:
    account = new_account()
    before = statement_of(store, account).basis.dead_letters
    write_dead_letters(store, [letter("", 0, 0, log=account)])
    assert statement_of(store, account).basis.dead_letters == before + 1


def test_completeness_is_stated_up_to_the_end_of_the_period_at_most(store: Client) -> None:
    account = new_account()
    write_completeness(store, account, "log", PERIOD.start_at + 5)
    assert statement_of(store, account).basis.complete_until == PERIOD.start_at + 5
    write_completeness(store, account, "log", PERIOD.end_at + 5)
    assert statement_of(store, account).basis.complete_until == PERIOD.end_at


def test_the_latest_completeness_mark_counts_including_marks_for_all_accounts(store: Client) -> None:
    account = new_account()
    with empty_store(store) as alone:
        migrate(alone)
        write_completeness(alone, ALL_ACCOUNTS, "main", PERIOD.start_at + 7)
        assert statement_of(alone, account).basis.complete_until == PERIOD.start_at + 7
        write_completeness(alone, account, "files", PERIOD.start_at + 5)
        assert statement_of(alone, account).basis.complete_until == PERIOD.start_at + 7
        write_completeness(alone, account, "files", PERIOD.start_at + 9)
        assert statement_of(alone, account).basis.complete_until == PERIOD.start_at + 9
        assert read_complete_until(alone, new_account()) == PERIOD.start_at + 7


def test_the_latest_evidence_is_the_end_of_the_last_session(store: Client) -> None:
    account = new_account()
    assert latest_evidence_at(store, account) is None
    for day in ("04", "03"):
        use = heartbeat(instant(f"2022-05-{day} 15:01"), instant(f"2022-05-{day} 15:12"), account=account, session=day)
        write_session_days(store, fold([use]))
    assert latest_evidence_at(store, account) == instant("2022-05-04 15:12")
