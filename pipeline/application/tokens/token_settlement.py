"""Token charges settled where one process has the store to itself, and the ledger's part of a statement (RULES 6)."""

from __future__ import annotations

from dataclasses import replace

from pipeline.application.account_view import AccountView
from pipeline.application.tokens.token_reading import charges_tokens, read_token_evidence
from pipeline.model.ledger_entries import Posting
from pipeline.model.orders import Logged, Refused
from pipeline.model.statements import Statement
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.flex_lines import flex_lines, token_block
from pipeline.rules.tokens.refused_token_orders import is_token_order, refused_orders
from pipeline.store.postings import PlacedPosting, write_postings


def settle_input(view: AccountView, *, now: int, complete_until: int | None) -> tuple[Posting, ...]:
    """Settle all that is stored, where the input has ended: all evidence is complete then.

    There the store is the log: a posting's place is its number. Doing it again with the same evidence posts nothing.
    What was posted is returned; it is in ``view.refreshed()``, not in the view.
    """
    if not charges_tokens(view.reading, view.orders):
        return ()
    pending = _pending_postings(view, now=now, complete_until=complete_until)
    write_postings(view.client, [PlacedPosting("embedded", 0, posting.sequence, posting) for posting in pending])
    return pending


def settle_stored(view: AccountView, *, now: int) -> tuple[Posting, ...]:
    """Carry out what was ordered, and settle as far as the runs of the store have come.

    A store without a run has no evidence that is complete: its orders are carried out, nothing is settled.
    """
    return settle_input(view, now=now, complete_until=view.complete_until)


def refused_token_orders(view: AccountView, orders: tuple[Logged, ...] | None = None) -> tuple[Refused, ...]:
    """The purchases and credits that changed nothing, of the view's orders or of others of its account, no id twice."""
    judged = view.orders if orders is None else orders
    return refused_orders(view.ledger, view.reading, judged) if any(map(is_token_order, judged)) else ()


def with_tokens(statement: Statement, view: AccountView, *, now: int) -> Statement:
    """A statement with the flex lines and the tokens block of the stored ledger: as at the period's end, or now."""
    if not charges_tokens(view.reading, view.orders):
        return statement
    lines = (*statement.lines, *flex_lines(view.token_reading, view.ledger, statement.period))
    return replace(
        statement,
        lines=tuple(sorted(lines, key=lambda line: (line.product, line.country, line.model))),
        tokens=token_block(view.ledger, min(statement.period.end_at, now)),
    )


def _pending_postings(view: AccountView, *, now: int, complete_until: int | None) -> tuple[Posting, ...]:
    evidence = read_token_evidence(view.client, view.token_reading)
    evidence.heed(view.voids)
    entries = draft(
        view.ledger, view.contract, evidence, view.orders, now=now, hold_ms=0, complete_until=complete_until
    )
    return postings(view.ledger, entries)
