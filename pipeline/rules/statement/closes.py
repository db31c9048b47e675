"""Which quarters are closed, and with what (RULES 7): the first close in log order wins.

A close carries the statement it freezes as text; whoever asks says how that is read. Whether a close is carried out
is decided by the log alone: a quarter is over when the command was issued, not when somebody reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pipeline.model.instants import Period, iso
from pipeline.model.orders import Close, Command, Logged, Refused
from pipeline.model.statements import Statement


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed quarter: the command that closed it, and its statement as it was frozen.

    ``position`` is the place of the close in the log: the commands before it were known, those after it were not.
    """

    command: Command
    close: Close
    statement: Statement
    position: int

    @property
    def id(self) -> str:
        return self.command.id

    @property
    def period(self) -> Period:
        return self.statement.period


@dataclass(frozen=True, slots=True)
class Closes:
    """The closed quarters by name, in order of time, and the closes that changed nothing."""

    quarters: Mapping[str, Closed] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()


def read_closes(logged: Iterable[Logged], read_statement: Callable[[str], Statement]) -> Closes:
    """The closes among the commands of one account, given in log order and each id once.

    ``read_statement`` raises ``ValueError`` for what is no statement.
    """
    quarters, refused = dict[str, Closed](), list[Refused]()
    for position, one in enumerate(logged):
        if not isinstance(one.command.order, Close):
            continue
        found = _carried_out(one.command, one.command.order, position, quarters, read_statement)
        if isinstance(found, Closed):
            quarters[found.close.period] = found
        else:
            refused.append(found)
    in_order = sorted(quarters.values(), key=lambda closed: closed.period.start_at)
    return Closes({closed.close.period: closed for closed in in_order}, tuple(refused))


def billed_since(closed: Closed, quarters: Mapping[str, Closed]) -> list[Closed]:
    """A close and those of later quarters after it in the log: what has been billed of its quarter, in that order."""
    at = closed.position, closed.period.start_at
    found = [one for one in quarters.values() if one.position >= at[0] and one.period.start_at >= at[1]]
    return sorted(found, key=lambda one: one.position)


def refuse_close(command: Command, close: Close, quarters: Mapping[str, Closed]) -> Refused | None:
    """Why a close would change nothing, after the quarters that are closed already; ``None`` where it would."""
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
    if not close.forced and (close.complete_until is None or close.complete_until < period.end_at):
        known = "nothing says up to when" if close.complete_until is None else f"up to {iso(close.complete_until)}"
        sentence = f"Evidence is not complete to the end of {close.period} ({known}): closing it so must be forced."
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
        told = f"{statement.account}, {statement.period.name}"
        return Refused(command.id, "no_statement", f"What it would freeze is the statement of {told}.")
    return Closed(command, close, replace(statement, state="closed"), position)
