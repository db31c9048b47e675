"""A small account with tokens: its contract, daily use from a Monday on, and the ledger that follows."""

from __future__ import annotations

from pipeline.model.contracts import Contract, Entitlement, Product, TokenPack
from pipeline.model.instants import DAY_MS, HOUR_MS
from pipeline.model.ledger_entries import Posting
from pipeline.policy.catalogue import metering_catalogue, token_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.token_evidence import TokenEvidence
from tests.support.evidence.evidence_shorthand import heartbeat, instant

MONDAY = instant("2022-05-02 08:00")
BOUGHT_AT = instant("2022-01-10 00:00")
CONTRACT = Contract(
    account="acme",
    country="CZ",
    currency="EUR",
    content_hash="",
    products={"ACD": Product("ACD")},
    entitlements=(Entitlement(("ACD",), "CZ", "flex", "autodesk-flex", 0, BOUGHT_AT, None, daily_rate=7),),
    token_packs=(TokenPack("P", "", "default", 500, BOUGHT_AT, None),),
)


def reading(contract: Contract = CONTRACT) -> TokenReading:
    """The reading of a contract under the built-in policies."""
    return TokenReading(ContractReading(contract, metering_catalogue()), token_catalogue())


def evidence_of(days: int, contract: Contract = CONTRACT) -> TokenEvidence:
    """Evidence of an hour's use at eight on each of ``days`` days."""
    evidence = TokenEvidence(reading(contract))
    for number in range(days):
        at = MONDAY + number * DAY_MS
        for day in fold([heartbeat(at, at + HOUR_MS, product="ACD", session=f"s{number}")]):
            evidence.merge(day)
    return evidence


def log_of(days: int) -> list[Posting]:
    """The postings that settle the use of ``days`` days."""
    entries = draft(
        Ledger("acme"), CONTRACT, evidence_of(days), (), now=MONDAY, complete_until=MONDAY + (days + 1) * DAY_MS
    )
    return [*postings(Ledger("acme"), entries, 2)]
