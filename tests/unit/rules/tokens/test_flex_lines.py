"""Flex lines of a statement and its token block."""

from __future__ import annotations

from pipeline.model.instants import Period
from pipeline.rules.tokens.flex_lines import flex_lines, token_block
from pipeline.rules.tokens.ledger import read_ledger
from pipeline.rules.tokens.pack_order import expires_at
from tests.support.evidence.token_shorthand import BOUGHT_AT, log_of, reading


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
