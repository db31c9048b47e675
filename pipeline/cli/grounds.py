"""What a packet and an explanation of a line rest on: what is known now, or was when the quarter was closed."""

from __future__ import annotations

from typing import cast

from pipeline import __version__
from pipeline.cli.output import report
from pipeline.codec.letter_reports import printable
from pipeline.model.instants import Period
from pipeline.model.money import format_money
from pipeline.model.statement import PooledLine
from pipeline.rules.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.life import Engine, Grounds, read_grounds


def quarter_grounds(client: Client, reading: ContractReading, period: Period, engine: str) -> Grounds:
    """The statement of a quarter, and the contract and commands from which its lines follow."""
    return read_grounds(client, reading, period, seatbeat=__version__, engine=cast(Engine, engine))


def report_grounds(grounds: Grounds, line: PooledLine) -> None:
    """Say on stderr where evidence that came after the close has made a line another one than was billed."""
    if grounds.frozen is None:
        return
    identity = line.product, line.country
    billed = next((one for one in grounds.frozen.pooled if (one.product, one.country) == identity), None)
    if billed == line:
        return
    currency, quarter = grounds.frozen.currency, grounds.frozen.period.name
    amounts = "with no line" if billed is None else f"at {_money(billed.amount, currency)}"
    report(
        printable(
            f"{line.product} in {line.country} was closed {amounts} in {quarter}; evidence that came later makes it "
            f"{_money(line.amount, currency)}, which is told here, and the difference is an adjustment"
        )
    )


def _money(amount: int | None, currency: str) -> str:
    return "no price" if amount is None else f"{format_money(amount, currency)} {currency}"
