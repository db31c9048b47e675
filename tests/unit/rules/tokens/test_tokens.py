"""Versions, forecasts, statements, audits and the ledger's refusals, on small examples."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.model.contracts import Contract, Entitlement, Product, TokenPack
from pipeline.model.instants import DAY_MS, HOUR_MS, Period
from pipeline.model.ledger_entries import Debit, Entry, Expiry, Grant, Part, Posting, Settled
from pipeline.policy.catalogue import metering_catalogue, token_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.flex_lines import flex_lines, token_block
from pipeline.rules.tokens.forecast import Forecast, Unused, forecast
from pipeline.rules.tokens.ledger import Ledger, LedgerBroken, read_ledger
from pipeline.rules.tokens.ledger_audit import audit
from pipeline.rules.tokens.pack_order import expires_at
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.token_evidence import TokenEvidence
from pipeline.rules.tokens.versions import is_at_least
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
    return TokenReading(ContractReading(contract, metering_catalogue()), token_catalogue())


def evidence_of(days: int, contract: Contract = CONTRACT) -> TokenEvidence:
    """An hour's use at eight on each of some days."""
    evidence = TokenEvidence(reading(contract))
    for number in range(days):
        at = MONDAY + number * DAY_MS
        for day in fold([heartbeat(at, at + HOUR_MS, product="ACD", session=f"s{number}")]):
            evidence.merge(day)
    return evidence


def log_of(days: int) -> list[Posting]:
    entries = draft(
        Ledger("acme"), CONTRACT, evidence_of(days), (), now=MONDAY, complete_until=MONDAY + (days + 1) * DAY_MS
    )
    return [*postings(Ledger("acme"), entries, 2)]


@pytest.mark.parametrize(
    ("version", "first", "expected"),
    [
        ("2021", "2021", True),
        ("2021.0", "2021", True),
        ("2021", "2021.0.0", True),
        ("2020.10", "2020.9", True),
        ("2020.9", "2020.10", False),
        ("10.17.2", "10.3", True),
        ("R2021b", "R2021", True),
        ("", "1", False),
    ],
)
def test_versions_are_compared_number_by_number(version: str, first: str, expected: bool) -> None:
    assert is_at_least(version, first) == expected


def test_a_window_is_on_the_statement_of_the_quarter_in_which_it_starts() -> None:
    ledger = read_ledger("acme", log_of(3))
    (line,) = flex_lines(reading(), ledger, Period.parse("2022Q2"))
    assert (line.charges, line.tokens, line.uncovered, len(line.windows)) == (3, 21, 0, 3)
    (line,) = flex_lines(reading(), ledger, Period.parse("2022Q3"))
    assert (line.charges, line.windows, line.policy) == (0, (), "autodesk-flex@2021-09-24")
    assert flex_lines(reading(), ledger, Period.parse("2021Q4")) == ()


def test_the_token_block_leaves_out_packs_bought_at_or_after_the_instant() -> None:
    ledger = read_ledger("acme", log_of(1))
    assert token_block(ledger, BOUGHT_AT).granted == 0
    assert token_block(ledger, BOUGHT_AT + 1).granted == 500
    assert token_block(ledger, expires_at(BOUGHT_AT)).expired == 493


def test_the_forecast_states_how_long_tokens_last_and_what_expires_unused() -> None:
    ledger = read_ledger("acme", log_of(30))
    at = MONDAY + 30 * DAY_MS
    (outlook,) = forecast(ledger, at)
    left, days = 500 - 30 * 7, (expires_at(BOUGHT_AT) - at) // DAY_MS
    assert days > left // 7
    assert outlook == Forecast("default", left, 210, left // 7, ())
    (later,) = forecast(ledger, at + 25 * DAY_MS)
    used = 35 * (expires_at(BOUGHT_AT) - at - 25 * DAY_MS) // (30 * DAY_MS)
    assert later.charged == 35
    assert later.unused == ((Unused("P", left - used, expires_at(BOUGHT_AT)),) if used < left else ())
    (idle,) = forecast(ledger, at + 60 * DAY_MS)
    assert (idle.days_left, idle.unused) == (None, (Unused("P", left, expires_at(BOUGHT_AT)),))


def test_a_posting_whose_number_is_not_the_next_is_void_as_a_whole() -> None:
    first, second, third = log_of(3)[:3]
    stale = replace(second, entries=(*second.entries, *third.entries))
    assert read_ledger("acme", [first, second, stale, third]).entries == read_ledger("acme", log_of(3)[:3]).entries
    assert read_ledger("acme", [second, third]).entries == {}
    assert [*read_ledger("acme", [first, third, second]).entries] == [
        entry.id for posting in (first, second) for entry in posting.entries
    ]


@pytest.mark.parametrize(
    "broken",
    [
        Entry("x", 0, Expiry("default", "P", 501)),
        Entry("x", 0, Expiry("default", "Q", 1)),
        Entry("x", 0, Expiry("other", "P", 1)),
        Entry("x", 0, Grant("default", "P", "", 1, 1, 2, None)),
        Entry("x", 0, Grant("default", "Q", "", 0, 1, 2, None)),
    ],
)
def test_an_entry_that_breaks_an_invariant_of_the_ledger_raises(broken: Entry) -> None:
    ledger = read_ledger("acme", log_of(1))
    with pytest.raises(LedgerBroken):
        ledger.append(Posting("acme", ledger.sequence + 1, (broken,)))


def test_an_audit_of_a_correct_ledger_finds_nothing() -> None:
    assert audit(log_of(5), reading(), evidence_of(5), ()) == []


def test_an_audit_names_missing_and_unexplained_entries() -> None:
    assert {difference.what for difference in audit(log_of(3)[:1], reading(), evidence_of(0), ())} == {"no_evidence"}
    differences = audit(log_of(2), reading(), evidence_of(0), ())
    assert [difference.what for difference in differences] == ["no_evidence", "no_evidence"]
    without = [replace(posting, entries=posting.entries[:1]) for posting in log_of(2)[:1]]
    settled = Posting("acme", 2, (Entry("s", MONDAY + DAY_MS, Settled(MONDAY + DAY_MS)),))
    assert [difference.what for difference in audit([*without, settled], reading(), evidence_of(2), ())] == [
        "missing",
        "missing",
    ]
    unbought = replace(CONTRACT, token_packs=())
    assert [difference.what for difference in audit(log_of(1), reading(unbought), evidence_of(1), ())] == [
        "unknown_purchase"
    ]


def test_an_audit_names_a_wrong_rate_length_and_payment() -> None:
    first, *rest = log_of(1)
    entry = first.entries[1]
    assert isinstance(entry.fact, Debit)
    window = entry.fact.window
    dearer = replace(entry, fact=replace(entry.fact, window=window._replace(rate=9), parts=(Part("P", 9),)))
    shorter = replace(entry, fact=replace(entry.fact, window=window._replace(end_at=window.end_at - 1)))
    unpaid = replace(entry, fact=replace(entry.fact, parts=(), uncovered=7))
    for changed, what in ((dearer, "other_rate"), (shorter, "other_length"), (unpaid, "other_payment")):
        log = [replace(first, entries=(first.entries[0], changed)), *rest]
        assert what in {difference.what for difference in audit(log, reading(), evidence_of(1), ())}


def test_late_evidence_is_kept_until_it_is_charged() -> None:
    evidence, ledger = evidence_of(3), read_ledger("acme", [Posting("acme", 1, (Entry("s", 1, Settled(MONDAY)),))])
    evidence.forget(MONDAY + 50 * DAY_MS)
    settled_until = MONDAY + 60 * DAY_MS
    entries = draft(ledger, CONTRACT, evidence, (), now=MONDAY, hold_ms=0, complete_until=settled_until)
    assert sum(isinstance(entry.fact, Debit) for entry in entries) == 3
    for posting in postings(ledger, entries):
        ledger.append(posting)
        evidence.posted(posting)
    assert not any(evidence.open_windows(ledger).values())
    evidence.forget(settled_until - 37 * DAY_MS)
    assert not list(evidence.sessions())


def test_evidence_of_daily_use_is_forgotten_day_by_day() -> None:
    evidence, ledger = evidence_of(60), read_ledger("acme", log_of(58))
    evidence.open_windows(ledger)
    evidence.forget(MONDAY + 50 * DAY_MS)
    assert len(list(evidence.sessions())) == 10
    assert [window.start_at for windows in evidence.open_windows(ledger).values() for window in windows] == [
        MONDAY + 58 * DAY_MS,
        MONDAY + 59 * DAY_MS,
    ]
