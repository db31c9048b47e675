"""A contract as tokens are charged by it, and all stored evidence that may be charged (RULES 6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

from pipeline.model.errors import ContractInvalid
from pipeline.model.instants import DAY_MS, EARLIEST_AT, LATEST_AT, Period
from pipeline.model.orders import Logged
from pipeline.policy.catalogue import metering_catalogue, token_catalogue
from pipeline.rules.people.coverage import seat_coverage
from pipeline.rules.people.holders import People, people_of
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.refused_token_orders import is_token_order
from pipeline.rules.tokens.token_evidence import TokenEvidence
from pipeline.store.client import Client
from pipeline.store.contract_versions import contract_accounts, stored_contract
from pipeline.store.order_log import accounts_that_ordered_tokens
from pipeline.store.postings import accounts_with_ledger
from pipeline.store.stored_sessions import Selection, first_days_of_months, read_session_days

EVER: Final = Period("ever", EARLIEST_AT, LATEST_AT)
KEPT_MS: Final = 37 * DAY_MS
"""How long after its last sign of life a session is remembered whose windows are settled: more than evidence spans."""


def token_reading(reading: ContractReading, orders: Sequence[Logged] = ()) -> TokenReading:
    """The contract ready to be asked what is charged in tokens, with the seats that its lists and orders gave."""
    return token_reading_of(reading, people_of(reading.contract, orders))


def token_reading_of(reading: ContractReading, people: People) -> TokenReading:
    """The same where the people of the account are read already."""
    return TokenReading(reading, token_catalogue(), seat_coverage(reading.contract, people.holdings, EVER))


def charges_tokens(reading: ContractReading, orders: Iterable[Logged] = ()) -> bool:
    """Whether an account has anything to do with tokens, by its contract or by its orders."""
    contract = reading.contract
    by_contract = bool(contract.token_packs) or any(given.model == "flex" for given in contract.entitlements)
    return by_contract or any(map(is_token_order, orders))


def accounts_with_tokens(client: Client) -> list[str]:
    """The accounts whose time must go on: whose contract charges tokens, who ordered some, and who have a ledger.

    An order that came before there was a contract waits for the next tick. A contract that does not pass the check
    charges nothing meanwhile.
    """
    accounts, ordered = accounts_with_ledger(client), accounts_that_ordered_tokens(client)
    for account in set(contract_accounts(client)) - accounts:
        with suppress(ContractInvalid):
            contract = stored_contract(client, account)
            if contract is not None and (
                account in ordered or charges_tokens(ContractReading(contract, metering_catalogue()))
            ):
                accounts.add(account)
    return sorted(accounts)


def read_token_evidence(client: Client, reading: TokenReading, settled: Ledger | None = None) -> TokenEvidence:
    """All stored evidence that may be charged, a month at a time.

    With a ledger what is settled for good is forgotten as soon as it is read.
    """
    account, evidence = reading.contract.account, TokenEvidence(reading)
    for first_day in first_days_of_months(client, account):
        from_at = first_day * DAY_MS
        until_at = from_at + 31 * DAY_MS
        for day in read_session_days(client, Selection(account, from_at, until_at)):
            evidence.merge(day)
        if settled is not None:
            evidence.open_windows(settled)
            evidence.forget(min(from_at, settled.settled_until_at) - KEPT_MS)
    return evidence
