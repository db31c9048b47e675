"""The histories of ``adjustments/*.txt``: what is closed stands, and what becomes known later is carried on.

A history is its ``steps:``, one a line: ``use`` (as in ``pooled/*.txt``), ``void NAME MACHINE``, ``unvoid NAME``,
``contract NAME`` (a block of that name), ``grant QUARTER PRODUCT COUNTRY AMOUNT`` and ``close QUARTER = TOTAL``; and
what a statement then says: ``open`` or ``closed QUARTER = TOTAL``, and ``carries QUARTER:`` all of its adjustments.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.model.instants import Period
from pipeline.model.money import format_money, parse_money
from pipeline.model.statement import Adjustment, Statement
from pipeline.rules.adjustments import LineId
from tests.golden.tables import read_blocks, read_terms, read_use
from tests.support.histories import History

Blocks = Mapping[str, list[str]]
HISTORIES = [one for path in sorted(Path(__file__).parent.glob("adjustments/*.txt")) for one in read_blocks(path)]
ACCOUNT, CURRENCY = "acme", "EUR"


@pytest.mark.parametrize("blocks", [pytest.param(blocks, id=name) for name, blocks in HISTORIES])
def test_statements_and_what_they_carry_are_the_tables(blocks: Blocks) -> None:
    history = History(read_terms(blocks["contract"], ACCOUNT))
    for number, step in enumerate(blocks["steps"]):
        verb, _, rest = step.partition(" ")
        take(history, blocks, verb, rest.strip(), number)


def take(history: History, blocks: Blocks, verb: str, rest: str, number: int) -> None:
    """Carry out a step, or hold a statement against what the table says of it."""
    match verb:
        case "use":
            history.use(one._replace(session=f"{number}-{one.session}") for one in read_use([rest], ACCOUNT))
        case "void":
            name, machine = rest.split()
            history.void(name, machine)
        case "unvoid":
            history.unvoid(rest)
        case "contract":
            history.change(read_terms(blocks[f"contract {rest}"], ACCOUNT))
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


def total(history: History, rest: str, state: str) -> str:
    statement = history.statement(Period.parse(rest.partition(" = ")[0]))
    assert statement.state == state
    return f"{statement.period.name} = {format_money(statement.total, statement.currency)}"


def carried(statement: Statement) -> str:
    """A statement's adjustments as the tables write them."""
    assert statement.adjustments_total == sum(one.amount for one in statement.adjustments)
    return "; ".join(written(one, statement.currency) for one in statement.adjustments) or "nothing"


def written(one: Adjustment, currency: str) -> str:
    amount, before, after = (format_money(minor, currency) for minor in (one.amount, one.before, one.after))
    sign = "+" if one.amount > 0 else ""
    return f"{sign}{amount} {one.kind} of {one.period} {one.product} {one.country}, {before} to {after}"
