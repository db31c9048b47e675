"""One account's book: what live workers settle, and what is left, as a run over files has it."""

from __future__ import annotations

from dataclasses import replace

from pipeline.agents.tokens.account_book import Book
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import DAY_MS, HOUR_MS, MINUTE_MS
from pipeline.model.orders import Command, Logged, Tick
from pipeline.rules.evidence.merge import fold
from pipeline.rules.tokens.balance import balances
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.token_evidence import TokenEvidence
from pipeline.rules.tokens.windows import ChargeKey
from tests.support.evidence.evidence_shorthand import heartbeat
from tests.support.evidence.token_shorthand import CONTRACT, MONDAY, reading

EVA = ChargeKey("ACD", "CZ", "eva")
USE = heartbeat(MONDAY, MONDAY + HOUR_MS, product="ACD", user="eva", session="monday")
FOLLOWS_ON = heartbeat(
    MONDAY + 23 * HOUR_MS, MONDAY + DAY_MS + 3 * MINUTE_MS, product="ACD", user="eva", session="tuesday"
)


def hear(evidence: TokenEvidence, *heartbeats: Heartbeat) -> None:
    for day in fold(heartbeats):
        evidence.merge(day)


def tick(book: Book, ledger: Ledger, complete_until: int) -> None:
    """A tick worked off as the bookkeeper does: the book hears each posting."""
    logged = Logged(
        Command(f"tick-{complete_until}", "acme", "clock", complete_until, Tick(complete_until)), complete_until
    )
    for posting in postings(ledger, book.draft(ledger, logged)):
        assert ledger.append(posting)
        book.evidence.posted(posting)


def test_live_use_that_follows_on_is_charged_as_in_a_run_however_late_it_comes() -> None:
    evidence, at_once = TokenEvidence(reading()), Ledger("acme")
    hear(evidence, USE, FOLLOWS_ON)
    end_at = MONDAY + 9 * DAY_MS
    for posting in postings(at_once, draft(at_once, CONTRACT, evidence, (), now=end_at, complete_until=end_at)):
        at_once.append(posting)
    assert [span.from_at for span in at_once.settled[EVA]] == [MONDAY, MONDAY + DAY_MS]
    for settled_until_at in (MONDAY, MONDAY + DAY_MS, MONDAY + 5 * DAY_MS):
        book, ledger = Book(CONTRACT, 0, 0), Ledger("acme")
        hear(book.evidence, USE)
        tick(book, ledger, settled_until_at + DAY_MS)
        hear(book.evidence, FOLLOWS_ON)
        tick(book, ledger, end_at)
        assert ledger.settled == at_once.settled


def test_available_tokens_are_those_of_the_balance_and_leave_out_what_no_pack_can_pay() -> None:
    (pack,) = CONTRACT.token_packs
    book, ledger = Book(replace(CONTRACT, token_packs=(replace(pack, tokens=10),)), 0, 0), Ledger("acme")
    tick(book, ledger, MONDAY)
    hear(book.evidence, USE, FOLLOWS_ON)
    windows = book.evidence.open_windows(ledger)[EVA]
    assert sum(window.rate for window in windows) > 10
    (balance,) = balances(ledger, windows, MONDAY)
    assert book.available(ledger, MONDAY) == balance.available == 0
    assert book.available(ledger, MONDAY + 900 * DAY_MS) == 0, "what open windows will take does not expire"
