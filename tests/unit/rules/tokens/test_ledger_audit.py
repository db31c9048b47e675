"""Audits of the ledger: missing, unexplained and wrong entries."""

from __future__ import annotations

from dataclasses import replace

from pipeline.model.instants import DAY_MS
from pipeline.model.ledger_entries import Debit, Entry, Part, Posting, Settled
from pipeline.rules.tokens.ledger_audit import audit
from tests.support.evidence.token_shorthand import CONTRACT, MONDAY, evidence_of, log_of, reading


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
