"""What a packet and an explanation of a line rest on: what is known now, or was when the quarter was closed."""

from __future__ import annotations

from typing import Final, cast

from pipeline import __version__
from pipeline.application.statement_life import Engine, Grounds, Known, read_grounds
from pipeline.cli.as_of_option import known_as_of
from pipeline.cli.tables.output import report
from pipeline.codec.reports.letter_records import printable
from pipeline.codec.statement.line_json import line_record
from pipeline.model.instants import Period, iso
from pipeline.model.money import format_money
from pipeline.model.statements import FlexLine, Line, PooledLine, SeatLine, Statement
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client

HASH_SHOWN: Final = len("sha256:") + 12
"""As much of a version's hash as tells it from others."""


def quarter_grounds(client: Client, reading: ContractReading, period: Period, engine: str, as_of: str = "") -> Grounds:
    """The statement of a quarter, and the contract and commands from which its lines follow. Raises ``InputError``."""
    known = known_as_of(as_of, client, reading, period)
    return read_grounds(client, known, period, seatbeat=__version__, engine=cast(Engine, engine))


def closed_note(known: Known) -> str:
    """Which contract a closed quarter is told under, and by whose close; ``''`` for what is read as it is known now."""
    if known.closed is None:
        return ""
    command, version = known.closed.command, known.closed.close.contract[:HASH_SHOWN]
    return printable(
        f"{known.closed.period.name} was closed by {command.by} at {iso(command.issued_at)} (id {command.id}) and is "
        f"told under what was known then: its contract {version}…, and the orders before the close"
    )


def known_record(known: Known) -> dict[str, str | None]:
    """The same for programs: the contract's version, and the close it is of, ``None`` while the quarter is open."""
    closed = known.closed
    return {"contract": known.reading.contract.content_hash, "close": None if closed is None else closed.id}


def report_grounds(grounds: Grounds, line: Line) -> None:
    """Say on stderr where evidence that came after the close has made a line another one than was billed."""
    frozen = grounds.frozen
    if frozen is None:
        return
    billed = _same_line(frozen, line)
    if billed is not None and line_record(billed, frozen.currency) == line_record(line, frozen.currency):
        return
    currency, quarter = frozen.currency, frozen.period.name
    was = "with no line" if billed is None else f"at {_figures(billed, currency)}"
    rest = ", and the difference is an adjustment" if isinstance(line, PooledLine) else ""
    report(
        printable(
            f"{line.product} in {line.country} was closed {was} in {quarter}; evidence that came later makes it "
            f"{_figures(line, currency)}, which is told here{rest}"
        )
    )


def _same_line(statement: Statement, line: Line) -> Line | None:
    identity = line.product, line.country, line.model
    return next((one for one in statement.lines if (one.product, one.country, one.model) == identity), None)


def _figures(line: Line, currency: str) -> str:
    match line:
        case PooledLine():
            return "no price" if line.amount is None else f"{format_money(line.amount, currency)} {currency}"
        case SeatLine():
            return f"seats of {', '.join(line.users) or 'nobody'}"
        case FlexLine():
            return f"{line.charges:,} charges for {line.tokens:,} tokens"
