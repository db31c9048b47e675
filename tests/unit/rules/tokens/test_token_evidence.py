"""Evidence of charge windows: kept until it is charged, then forgotten."""

from __future__ import annotations

from pipeline.model.instants import DAY_MS
from pipeline.model.ledger_entries import Debit, Entry, Posting, Settled
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.ledger import read_ledger
from tests.support.evidence.token_shorthand import CONTRACT, MONDAY, evidence_of, log_of


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
