"""The histories of ``adjustments/*.txt``: closed statements stay, and later changes become adjustments.

A history is its ``steps:``, each on a line: ``use`` (as in ``pooled/*.txt``), ``void NAME MACHINE``, ``unvoid NAME``,
``contract NAME`` (a block of that name), ``grant QUARTER PRODUCT COUNTRY AMOUNT`` and ``close QUARTER = TOTAL``; and
the statement at that step: ``open`` or ``closed QUARTER = TOTAL``, and ``carries QUARTER:`` all of its adjustments.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.model.instants import Period
from pipeline.model.money import format_money, parse_money
from pipeline.model.statements import Adjustment, Statement
from pipeline.rules.statement.adjustments import LineId
from pipeline.store.client import Client
from tests.golden.tables import read_blocks, read_use, terms_text
from tests.support.evidence.histories import History
from tests.support.store.empty_stores import new_account
from tests.support.store.stored_histories import StoredHistory

Blocks = Mapping[str, list[str]]
AnyHistory = History | StoredHistory
HISTORIES = [
    history for path in sorted(Path(__file__).parent.glob("adjustments/*.txt")) for history in read_blocks(path)
]
CURRENCY = "EUR"
each_history = pytest.mark.parametrize("blocks", [pytest.param(blocks, id=name) for name, blocks in HISTORIES])


@each_history
def test_statements_and_adjustments_match_the_tables(blocks: Blocks) -> None:
    play(History.under(terms_text(blocks["contract"], "acme")), blocks, "acme")


@each_history
def test_statements_and_adjustments_from_the_store_match_the_tables(blocks: Blocks, store: Client) -> None:
    account = new_account()
    play(StoredHistory(store, terms_text(blocks["contract"], account)), blocks, account)


def play(history: AnyHistory, blocks: Blocks, account: str) -> None:
    """Carry out every step of a history."""
    for number, step in enumerate(blocks["steps"]):
        verb, _, rest = step.partition(" ")
        take(history, blocks, verb, rest.strip(), f"{account} {number}")


def take(history: AnyHistory, blocks: Blocks, verb: str, rest: str, step: str) -> None:
    """Carry out a step, or compare a statement with the table."""
    account, _, number = step.partition(" ")
    match verb:
        case "use":
            history.use(beat._replace(session=f"{number}-{beat.session}") for beat in read_use([rest], account))
        case "void":
            name, machine = rest.split()
            history.void(name, machine)
        case "unvoid":
            history.unvoid(rest)
        case "contract":
            history.apply(terms_text(blocks[f"contract {rest}"], account))
        case "grant":
            period, product, country, amount = rest.split()
            history.grant(period, LineId(product, country, "pooled"), parse_money(amount, CURRENCY))
        case "close":
            history.close(Period.parse(rest.partition(" = ")[0]))
            assert total(history, rest, "closed") == rest
        case "open" | "closed":
            assert total(history, rest, verb) == rest
        case "carries":
            name, _, _ = rest.partition(": ")
            assert f"{name}: {carried(history.statement(Period.parse(name)))}" == rest
        case _:
            raise AssertionError(f"{verb} {rest}")


def total(history: AnyHistory, rest: str, state: str) -> str:
    statement = history.statement(Period.parse(rest.partition(" = ")[0]))
    assert statement.state == state
    return f"{statement.period.name} = {format_money(statement.total, statement.currency)}"


def carried(statement: Statement) -> str:
    """A statement's adjustments in the notation of the tables."""
    assert statement.adjustments_total == sum(adjustment.amount for adjustment in statement.adjustments)
    return "; ".join(written(adjustment, statement.currency) for adjustment in statement.adjustments) or "nothing"


def written(adjustment: Adjustment, currency: str) -> str:
    amount, before, after = (
        format_money(minor, currency) for minor in (adjustment.amount, adjustment.before, adjustment.after)
    )
    sign = "+" if adjustment.amount > 0 else ""
    line = f"{adjustment.period} {adjustment.product} {adjustment.country}"
    return f"{sign}{amount} {adjustment.kind} of {line}, {before} to {after}"
