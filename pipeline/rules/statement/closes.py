"""Which quarters are closed, and with what (RULES 7): the first close in log order wins.

A close carries the statement that it freezes as text; the caller passes in how that is read. Whether a close is carried
out depends on the log alone: the quarter must be over when the command was issued, not when the log is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pipeline.model.instants import Period, iso
from pipeline.model.orders import Close, Command, Logged, Refused
from pipeline.model.statements import Statement
from pipeline.rules.statement.completeness import is_complete


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed quarter: the command that closed it, and its statement as it was frozen.

    ``position`` is the place of the close in the log: it knew the commands before it, and none after it.
    """

    command: Command
    close: Close
    statement: Statement
    position: int

    @property
    def id(self) -> str:
        """The id of the command."""
        return self.command.id

    @property
    def period(self) -> Period:
        """The closed quarter."""
        return self.statement.period


@dataclass(frozen=True, slots=True)
class Closes:
    """The closed quarters by name, in order of time, and the closes that changed nothing."""

    quarters: Mapping[str, Closed] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()


def read_closes(logged: Iterable[Logged], read_statement: Callable[[str], Statement]) -> Closes:
    """The closes among the commands of an account, which are in log order and hold each id once.

    ``read_statement`` raises ``ValueError`` for a text that is no statement.
    """
    quarters, refused = dict[str, Closed](), list[Refused]()
    for position, entry in enumerate(logged):
        if not isinstance(entry.command.order, Close):
            continue
        outcome = _carried_out(entry.command, entry.command.order, position, quarters, read_statement)
        if isinstance(outcome, Closed):
            quarters[outcome.close.period] = outcome
        else:
            refused.append(outcome)
    in_order = sorted(quarters.values(), key=lambda closed: closed.period.start_at)
    return Closes({closed.close.period: closed for closed in in_order}, tuple(refused))


def billed_since(closed: Closed, quarters: Mapping[str, Closed]) -> list[Closed]:
    """A close and those of later quarters after it in the log, in that order: by these its quarter has been billed."""
    billed = [
        other
        for other in quarters.values()
        if other.position >= closed.position and other.period.start_at >= closed.period.start_at
    ]
    return sorted(billed, key=lambda other: other.position)


def refuse_close(command: Command, close: Close, quarters: Mapping[str, Closed]) -> Refused | None:
    """Why a close is refused, given the quarters that are closed already; ``None`` where it is carried out."""
    try:
        period = Period.parse(close.period)
    except ValueError as error:
        return Refused(command.id, "not_a_quarter", f"{error}.")
    if close.period in quarters:
        first = quarters[close.period].command
        sentence = (
            f"{close.period} was closed by {first.by} at {iso(first.issued_at)} ({first.id}): the first close stands."
        )
        return Refused(command.id, "already_closed", sentence)
    if command.issued_at < period.end_at:
        sentence = f"{close.period} is not over before {iso(period.end_at)}."
        return Refused(command.id, "not_over", sentence, possible_at=period.end_at)
    if not close.forced and not is_complete(period, close.complete_until):
        until = "nothing says up to when" if close.complete_until is None else f"up to {iso(close.complete_until)}"
        sentence = f"Evidence is not complete to the end of {close.period} ({until}): closing it so must be forced."
        return Refused(command.id, "incomplete", sentence)
    return None


def _carried_out(
    command: Command,
    close: Close,
    position: int,
    quarters: Mapping[str, Closed],
    read_statement: Callable[[str], Statement],
) -> Closed | Refused:
    refused = refuse_close(command, close, quarters)
    if refused is not None:
        return refused
    try:
        statement = read_statement(close.statement)
    except ValueError as error:
        return Refused(command.id, "no_statement", f"What it would freeze cannot be read: {error}.")
    if (statement.account, statement.period.name) != (command.account, close.period):
        other = f"{statement.account}, {statement.period.name}"
        return Refused(command.id, "no_statement", f"What it would freeze is the statement of {other}.")
    return Closed(command, close, replace(statement, state="closed"), position)
