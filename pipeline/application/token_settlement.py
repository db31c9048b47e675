"""Token charges from the store: evidence read back, the ledger gone on from, and its part of a statement (RULES 6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, cast

from pipeline.model.errors import ContractInvalid
from pipeline.model.instants import DAY_MS, EARLIEST_AT, LATEST_AT, Period
from pipeline.model.ledger_entries import Posting
from pipeline.model.orders import Logged, Refused
from pipeline.model.statements import Statement
from pipeline.policy.catalogue import metering_catalogue, token_catalogue
from pipeline.rules.evidence.span_limit import SPAN_DAYS_MAX
from pipeline.rules.orders.voids import voids_in_force
from pipeline.rules.people.coverage import seat_coverage
from pipeline.rules.people.holders import people_of
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.flex_lines import flex_lines, token_block
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.refused_token_orders import is_token_order, refused_orders
from pipeline.rules.tokens.token_evidence import TokenEvidence
from pipeline.store.client import Client
from pipeline.store.completeness_marks import read_complete_until
from pipeline.store.contract_versions import contract_accounts, stored_contract
from pipeline.store.order_log import read_first_commands
from pipeline.store.postings import PlacedPosting, read_stored_ledger, write_postings
from pipeline.store.stored_sessions import Selection, read_session_days

EVER = Period("ever", EARLIEST_AT, LATEST_AT)


def token_reading(reading: ContractReading, logged: Sequence[Logged] = ()) -> TokenReading:
    """The contract ready to be asked what is charged in tokens, with the seats that its lists and orders gave."""
    holdings = people_of(reading.contract, logged).holdings
    return TokenReading(reading, token_catalogue(), seat_coverage(reading.contract, holdings, EVER))


def charges_tokens(reading: ContractReading, logged: Iterable[Logged] = ()) -> bool:
    """Whether an account has anything to do with tokens, by its contract or by its orders."""
    contract = reading.contract
    by_contract = bool(contract.token_packs) or any(one.model == "flex" for one in contract.entitlements)
    return by_contract or any(map(is_token_order, logged))


KEPT_MS: Final = (SPAN_DAYS_MAX + 2) * DAY_MS
"""How long after its last sign of life a session is remembered whose windows are settled: more than evidence spans."""


def accounts_with_tokens(client: Client) -> list[str]:
    """The accounts whose time must go on: whose contract charges tokens, who ordered some, and who have a ledger.

    An order that came before there was a contract waits for the next tick. A contract that does not pass the check
    charges nothing meanwhile.
    """
    found = _accounts(client, "SELECT DISTINCT account FROM ledger_log")
    ordered = _accounts(client, "SELECT DISTINCT account FROM commands WHERE kind IN ('buy-tokens', 'credit-tokens')")
    for account in set(contract_accounts(client)) - found:
        with suppress(ContractInvalid):
            contract = stored_contract(client, account)
            if contract is not None and (
                account in ordered or charges_tokens(ContractReading(contract, metering_catalogue()))
            ):
                found.add(account)
    return sorted(found)


def _accounts(client: Client, query: str) -> set[str]:
    return {str(account) for (account,) in client.query(query).result_rows}


def read_token_evidence(client: Client, reading: TokenReading, settled: Ledger | None = None) -> TokenEvidence:
    """All stored evidence that may be charged, a month at a time.

    With a ledger what is settled for good is forgotten as soon as it is read.
    """
    account, evidence = reading.contract.account, TokenEvidence(reading)
    query = (
        "SELECT DISTINCT toInt32(toUInt16(toStartOfMonth(day))) AS first FROM usage_days "
        "WHERE account = {account:String} ORDER BY first"
    )
    for (first,) in client.query(query, {"account": account}).result_rows:
        from_at = cast(int, first) * DAY_MS
        until_at = from_at + 31 * DAY_MS
        for day in read_session_days(client, Selection(account, from_at, until_at)):
            evidence.merge(day)
        if settled is not None:
            evidence.open_windows(settled)
            evidence.forget(min(from_at, settled.settled_until_at) - KEPT_MS)
    return evidence


def pending_postings(
    client: Client, reading: ContractReading, orders: Sequence[Logged], *, now: int, complete_until: int | None
) -> tuple[Posting, ...]:
    """What is to be posted where the input has ended: all evidence is complete, and everything is settled.

    Doing it again with the same evidence gives nothing.
    """
    tokens = token_reading(reading, orders)
    ledger, evidence = read_stored_ledger(client, reading.contract.account), read_token_evidence(client, tokens)
    evidence.heed(voids_in_force(orders))
    entries = draft(ledger, reading.contract, evidence, orders, now=now, hold_ms=0, complete_until=complete_until)
    return postings(ledger, entries)


def settle_input(client: Client, reading: ContractReading, *, now: int, complete_until: int | None) -> None:
    """Settle all that is stored, where the input has ended and one process has the store to itself.

    There the store is the log: a posting's place is its number.
    """
    orders = read_first_commands(client, reading.contract.account)
    if charges_tokens(reading, orders):
        found = pending_postings(client, reading, orders, now=now, complete_until=complete_until)
        write_postings(client, [PlacedPosting("embedded", 0, one.sequence, one) for one in found])


def settle_stored(client: Client, reading: ContractReading, *, now: int) -> None:
    """Carry out what was ordered in a store that one process has to itself, and settle as far as its runs have come.

    A store without a run knows of no evidence that is complete: its orders are carried out, nothing is settled.
    """
    settle_input(client, reading, now=now, complete_until=read_complete_until(client, reading.contract.account))


def refused_token_orders(client: Client, reading: ContractReading, logged: Sequence[Logged]) -> tuple[Refused, ...]:
    """The purchases and credits of a log, no id twice, that changed nothing."""
    if not any(map(is_token_order, logged)):
        return ()
    return refused_orders(read_stored_ledger(client, reading.contract.account), reading, logged)


def with_tokens(
    statement: Statement, client: Client, reading: ContractReading, *, now: int, logged: Sequence[Logged] = ()
) -> Statement:
    """A statement with the flex lines and the tokens block of the stored ledger: as at the period's end, or now."""
    if not charges_tokens(reading, logged):
        return statement
    ledger: Ledger = read_stored_ledger(client, statement.account)
    lines = (*statement.lines, *flex_lines(token_reading(reading, logged), ledger, statement.period))
    return replace(
        statement,
        lines=tuple(sorted(lines, key=lambda line: (line.product, line.country, line.model))),
        tokens=token_block(ledger, min(statement.period.end_at, now)),
    )
