"""Hold before settling: windows may move until evidence is complete a while after their start (RULES 6)."""

from __future__ import annotations

import pytest

from pipeline.model.contracts import Contract, Entitlement, Product, TokenPack
from pipeline.model.instants import DAY_MS, HOUR_MS
from pipeline.model.ledger_entries import Debit, Window
from pipeline.model.orders import Tick
from pipeline.policy.catalogue import metering_catalogue, token_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.drafts import draft
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.settling_hold import (
    HOLD_MS,
    complete_until_of,
    in_settling_order,
    is_due,
    settled_until,
)
from pipeline.rules.tokens.token_evidence import TokenEvidence
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.evidence.order_shorthand import command, logged

MONDAY = instant("2022-05-02 08:00")
BOUGHT_AT = instant("2022-01-10 00:00")
CONTRACT = Contract(
    "acme",
    "CZ",
    "EUR",
    "",
    products={"ACD": Product("ACD")},
    entitlements=(Entitlement(("ACD",), "CZ", "flex", "autodesk-flex", 0, BOUGHT_AT, None, daily_rate=7),),
    token_packs=(TokenPack("P", "", "default", 500, BOUGHT_AT, None),),
)


def window(start_at: int, product: str = "ACD", user: str = "eva", country: str = "CZ") -> Window:
    return Window(product, country, user, start_at, start_at + DAY_MS, 7, "autodesk-flex@2021-09-24")


def settled_starts(complete_until: int, **hold: int) -> list[int]:
    """The starts of the settled windows, after an hour's use on Monday and on Tuesday."""
    evidence = TokenEvidence(TokenReading(ContractReading(CONTRACT, metering_catalogue()), token_catalogue()))
    for at in (MONDAY, MONDAY + DAY_MS):
        for day in fold([heartbeat(at, at + HOUR_MS, product="ACD", session=f"s{at}")]):
            evidence.merge(day)
    tick = logged(command(Tick(complete_until), "tick"))
    entries = draft(Ledger("acme"), CONTRACT, evidence, tick, now=complete_until, **hold)
    return [entry.fact.window.start_at for entry in entries if isinstance(entry.fact, Debit)]


@pytest.mark.parametrize(
    ("complete_until", "expected"),
    [
        (MONDAY + DAY_MS - 1, []),
        (MONDAY + DAY_MS, [MONDAY]),
        (MONDAY + 2 * DAY_MS - 1, [MONDAY]),
        (MONDAY + 2 * DAY_MS, [MONDAY, MONDAY + DAY_MS]),
    ],
)
def test_a_tick_settles_windows_that_started_a_day_before_completeness(
    complete_until: int, expected: list[int]
) -> None:
    assert settled_starts(complete_until) == expected


def test_the_end_of_the_input_settles_everything_without_a_hold() -> None:
    assert settled_starts(MONDAY + DAY_MS, hold_ms=0) == [MONDAY, MONDAY + DAY_MS]


def test_the_hold_is_a_day_in_both_directions() -> None:
    assert HOLD_MS == 24 * HOUR_MS
    assert settled_until(MONDAY) == MONDAY - 24 * HOUR_MS
    assert settled_until(complete_until_of(MONDAY, 5), 5) == MONDAY


def test_a_window_that_starts_at_the_instant_is_settled_with_it() -> None:
    assert is_due(window(MONDAY), MONDAY)
    assert not is_due(window(MONDAY + 1), MONDAY)


def test_windows_are_settled_by_start_product_and_user() -> None:
    in_order = [
        window(MONDAY, "MAYA", "zoe"),
        window(MONDAY + 1, "ACD", "eva"),
        window(MONDAY + 1, "ACD", "petr", "AT"),
        window(MONDAY + 1, "ACD", "petr", "CZ"),
        window(MONDAY + 1, "MAYA", "adam"),
    ]
    assert in_settling_order(reversed(in_order)) == in_order
