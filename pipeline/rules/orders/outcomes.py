"""What became of each command in an account's log: carried out, sent again, in conflict, or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.model.orders import Logged, Refused
from pipeline.model.statements import Statement
from pipeline.rules.dispute.dispute_log import disputes
from pipeline.rules.orders.first_of_id import conflict, first_of_each, is_same
from pipeline.rules.orders.voids import refused_unvoids
from pipeline.rules.people.holders import people_of
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement.closes import read_closes

Status = Literal["accepted", "known", "conflict", "refused"]
"""``known``: the same command was in the log before."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A message of the log and what became of it; ``refused`` says why the order changed nothing."""

    logged: Logged
    status: Status
    refused: Refused | None = None


ReadStatement = Callable[[str], Statement]
"""How the statement that a close freezes is read; raises ``ValueError`` for a text that is no statement."""


def decide(
    reading: ContractReading, logged: Sequence[Logged], read_statement: ReadStatement | None = None
) -> tuple[Refused, ...]:
    """The orders of a log, no id twice, that changed nothing; decided from the log and the contract alone.

    Closes are judged where ``read_statement`` is given.
    """
    closes = read_closes(logged, read_statement).refused if read_statement is not None else ()
    ids = {entry.command.id for entry in logged}
    of_people = (refused for refused in people_of(reading.contract, logged).refused if refused.id in ids)
    return (*of_people, *refused_unvoids(logged), *disputes(logged).refused, *closes)


def outcomes(
    reading: ContractReading,
    logged: Sequence[Logged],
    read_statement: ReadStatement | None = None,
    by_ledger: Iterable[Refused] = (),
) -> tuple[Outcome, ...]:
    """What became of every message of an account's log, in log order.

    ``by_ledger`` are the orders of tokens that changed nothing (``rules/tokens/refused_token_orders.py``).
    """
    firsts, _ = first_of_each(logged)
    by_id = {first.command.id: first for first in firsts}
    refused = {refusal.id: refusal for refusal in (*decide(reading, firsts, read_statement), *by_ledger)}
    results = []
    for entry in logged:
        command_id = entry.command.id
        if not is_same(by_id[command_id].command, entry.command):
            results.append(Outcome(entry, "conflict", conflict(command_id)))
        elif by_id[command_id] is not entry:
            results.append(Outcome(entry, "known", refused.get(command_id)))
        elif command_id in refused:
            results.append(Outcome(entry, "refused", refused[command_id]))
        else:
            results.append(Outcome(entry, "accepted"))
    return tuple(results)
