"""The ledger after orders, its readers, and audits of a ledger that was tampered with."""

from __future__ import annotations

from dataclasses import replace

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.account_audit import audit_ledger, audit_lines
from pipeline.application.quarter.quarter_counts import computed_statement
from pipeline.application.tokens.token_account import token_explanation, token_forecast, token_state
from pipeline.application.tokens.token_settlement import refused_token_orders, settle_input, settle_stored, with_tokens
from pipeline.model.contracts import TokenPack
from pipeline.model.instants import DAY_MS, HOUR_MS, MINUTE_MS, Period
from pipeline.model.ledger_entries import Debit, Entry, Part, Posting
from pipeline.model.orders import BuyTokens, CreditTokens, Order, Void
from pipeline.model.statements import FlexLine
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.charge_explanation import Asked
from pipeline.rules.tokens.drafts import postings
from pipeline.rules.tokens.flex_lines import debits, token_block
from pipeline.rules.tokens.ledger import Ledger, read_ledger
from pipeline.store.client import Client
from pipeline.store.facts import write_completeness
from pipeline.store.order_log import PlacedCommand, write_commands
from pipeline.store.postings import PlacedPosting, read_postings, write_postings
from tests.support.evidence.evidence_shorthand import heartbeat
from tests.support.evidence.order_shorthand import command
from tests.support.store.empty_stores import new_account
from tests.support.store.written_facts import write_session_days
from tests.unit.application.tokens.test_token_settlement import MONDAY, NOW, contract, use

BOUGHT = TokenPack("B", "PO-77", "default", 50, MONDAY + 20 * DAY_MS, 15_000)


def ran(store: Client, until_at: int = NOW) -> ContractReading:
    """An account whose evidence is complete up to an instant and settled."""
    account = new_account()
    write_session_days(store, fold(use(account)))
    write_completeness(store, account, "run", until_at)
    reading = contract(account)
    settle_stored(AccountView.of(store, reading), now=NOW)
    return reading


def order(store: Client, reading: ContractReading, given: Order, id_: str = "c1") -> None:
    """An order posted into the folder's log and carried out."""
    ordered = command(given, id_, reading.contract.account, issued_at=NOW)
    write_commands(store, [PlacedCommand(ordered, f"posted:{id_}", "commands", 0, 0, NOW)])
    settle_stored(AccountView.of(store, reading), now=NOW)


def test_a_purchase_is_in_the_ledger_after_its_order_and_does_not_pay_earlier_uncovered_use(store: Client) -> None:
    reading = ran(store)
    before = AccountView.of(store, reading).ledger.teams["default"]
    order(store, reading, BuyTokens((BOUGHT,)))
    order(store, reading, BuyTokens((BOUGHT,)), "c2")
    after = AccountView.of(store, reading).ledger.teams["default"]
    assert (before.balance, before.uncovered) == (0, 12)
    assert (after.granted, after.balance, after.uncovered) == (before.granted + 50, 50, 12)
    assert audit_ledger(AccountView.of(store, reading)).differences == ()


def test_balance_statement_and_forecast_agree_on_a_pack_that_is_ordered_late_and_over(store: Client) -> None:
    reading = ran(store, MONDAY + 20 * DAY_MS)
    over = TokenPack("old", "PO-1", "default", 3, MONDAY - 800 * DAY_MS, None)
    order(store, reading, BuyTokens((over,)))
    view = AccountView.of(store, reading)
    ((team,), at) = token_state(view).balances(NOW), MONDAY + 20 * DAY_MS
    block, (_, (outlook,)) = token_block(view.ledger, at), token_forecast(view, NOW)
    assert (team.settled.granted, team.settled.expired, team.settled.balance) == (103, 3, 100 - team.settled.debited)
    assert (block.granted, block.expired, block.balance) == (103, 3, team.settled.balance)
    assert outlook.balance == team.settled.balance
    assert view.ledger.teams["default"].expired == 3, "the ledger lists its expiry"
    assert audit_ledger(view).differences == ()


def test_late_evidence_of_a_later_input_is_settled_although_time_has_not_gone_on(store: Client) -> None:
    """A second run whose evidence is older than the store's latest: its charge is on the statement."""
    reading = ran(store)
    next_at = MONDAY + 40 * DAY_MS
    late = heartbeat(
        next_at - HOUR_MS, next_at + 3 * MINUTE_MS, account=reading.contract.account, product="ACD",
        user="eva", session="next day",
    )  # fmt: skip
    write_session_days(store, fold([late]))
    view = AccountView.of(store, reading)
    assert [window.start_at for window in token_state(view).open_windows] == [next_at]
    settle_input(view, now=NOW, complete_until=NOW)
    view = view.refreshed()
    assert token_state(view).open_windows == ()
    assert next_at in [debit.window.start_at for _, debit in debits(view.ledger) if debit.window.user == "eva"]
    assert settle_input(view, now=NOW, complete_until=NOW) == ()
    assert audit_ledger(view).differences == ()


def test_a_purchase_before_the_evidence_is_complete_pays_for_what_is_settled_later(store: Client) -> None:
    reading = ran(store, MONDAY + 20 * DAY_MS)
    account = reading.contract.account
    assert token_state(AccountView.of(store, reading)).open_windows, "provisional as long as evidence may come"
    order(store, reading, BuyTokens((BOUGHT,)))
    write_completeness(store, account, "run", NOW)
    settle_stored(AccountView.of(store, reading), now=NOW)
    assert token_state(AccountView.of(store, reading)).open_windows == ()
    assert AccountView.of(store, reading).ledger.teams["default"].uncovered == 0
    assert audit_ledger(AccountView.of(store, reading)).differences == ()


def test_an_account_whose_tokens_are_only_ordered_has_a_ledger(store: Client) -> None:
    reading = ran(store)
    bare = replace(reading.contract, entitlements=(), token_packs=(), account=new_account())
    other = ContractReading(bare, metering_catalogue())
    order(store, other, BuyTokens((BOUGHT,)))
    view = AccountView.of(store, other)
    assert view.ledger.teams["default"].balance == 50
    block = with_tokens(computed_statement(view, Period.parse("2022Q2")), view, now=NOW).tokens
    assert block is not None
    assert block.granted == 50


def test_a_void_before_the_settlement_prevents_the_charge(store: Client) -> None:
    account = new_account()
    reading = contract(account)
    write_session_days(store, fold(use(account)))
    void = command(Void("training", user="zoe", from_at=MONDAY, until_at=NOW), "v1", account, issued_at=NOW)
    write_commands(store, [PlacedCommand(void, "posted", "commands", 0, 0, NOW)])
    write_completeness(store, account, "run", NOW)
    settle_stored(AccountView.of(store, reading), now=NOW)
    users = {debit.window.user for _, debit in debits_of(store, account)}
    assert users == {"eva", "petr"}
    view = AccountView.of(store, reading)
    statement = with_tokens(computed_statement(view, Period.parse("2022Q2")), view, now=NOW)
    (line,) = (line for line in statement.lines if isinstance(line, FlexLine))
    assert line.charges == 8
    assert audit_ledger(AccountView.of(store, reading)).differences == ()


def test_a_void_after_the_settlement_changes_no_debit_and_is_named_by_the_audit(
    store: Client,
) -> None:
    reading = ran(store)
    before = read_postings(store, reading.contract.account)
    order(store, reading, Void("training", user="zoe", from_at=MONDAY, until_at=NOW))
    assert read_postings(store, reading.contract.account) == before
    assert {difference.what for difference in audit_ledger(AccountView.of(store, reading)).differences} == {
        "no_evidence"
    }


def test_a_debit_is_explained_by_the_session_that_caused_it(store: Client) -> None:
    reading = ran(store)
    debit = debits_of(store, reading.contract.account)[0][0]
    _, explained = token_explanation(AccountView.of(store, reading), Asked(MONDAY, NOW, entry=debit.id))
    ((key, span),) = explained.charges[0].causes
    assert (key.user, key.session, span.from_at) == ("eva", "eva-0", MONDAY)


def test_a_credit_of_a_debit_is_given_back_and_a_larger_one_is_refused(store: Client) -> None:
    reading = ran(store)
    account = reading.contract.account
    debit = debits_of(store, account)[0][0]
    order(store, reading, CreditTokens("default", 7, "reversal", debit.id))
    order(store, reading, CreditTokens("default", 1, "reversal", debit.id), "c2")
    assert AccountView.of(store, reading).ledger.teams["default"].balance == 7
    refused = refused_token_orders(AccountView.of(store, reading))
    assert [(difference.id, difference.code) for difference in refused] == [("c2", "credit_too_large")]
    assert audit_ledger(AccountView.of(store, reading)).differences == ()


def test_an_audit_names_a_tampered_payment_and_missing_entries(store: Client) -> None:
    reading = ran(store)
    account = new_account()
    log = [replace(posting, account=account) for posting in read_postings(store, reading.contract.account)]
    write_session_days(store, fold(use(account)))
    tampered = [_with_a_missing_charge(difference) for difference in log]
    write_postings(store, [PlacedPosting("embedded", 0, difference.sequence, difference) for difference in tampered])
    report = audit_ledger(AccountView.of(store, contract(account)))
    assert {difference.what for difference in report.differences} >= {"other_payment", "missing"}


def test_an_audit_of_lines_counts_them_without_sql(store: Client) -> None:
    reading = ran(store)
    pooled = replace(
        reading.contract,
        entitlements=tuple(
            replace(seat, model="pooled", policy="bentley-select", quantity=1, daily_rate=None)
            for seat in reading.contract.entitlements
        ),
    )
    report = audit_lines(AccountView.of(store, ContractReading(pooled, metering_catalogue())), Period.parse("2022Q2"))
    assert (report.lines, report.differences) == (1, ())
    assert report.sessions > 0


def debits_of(store: Client, account: str) -> list[tuple[Entry, Debit]]:
    return list(debits(read_ledger(account, read_postings(store, account))))


def _with_a_missing_charge(posting: Posting) -> Posting:
    """The posting with one token of its first debit uncovered, and without its second debit."""
    charged = [entry for entry in posting.entries if isinstance(entry.fact, Debit)]
    if not charged:
        return posting
    first, second = charged[:2]
    assert isinstance(first.fact, Debit)
    (part,) = first.fact.parts
    less = replace(first.fact, parts=(Part(part.pack, part.tokens - 1),), uncovered=1)
    entries = tuple(
        replace(entry, fact=less) if entry is first else entry for entry in posting.entries if entry is not second
    )
    assert read_ledger(posting.account, postings(Ledger(posting.account), entries)).sequence == 1, (
        "the tampered ledger breaks no invariant"
    )
    return replace(posting, entries=entries)
