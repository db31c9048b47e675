"""First of an id: of all records with an id, the first in log order is the command (RULES 5 and 7).

So every reader of the log decides alike, however often a command was sent or delivered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipeline.model.orders import Command, Logged, Refused

CONFLICT: Final = "conflict"


def first_of_each(logged: Iterable[Logged]) -> tuple[tuple[Logged, ...], tuple[Refused, ...]]:
    """The first command of each id, in log order, and a refusal for each id that came again with other content.

    ``logged`` is an account's log, in order. The same command again changes nothing and is not refused.
    """
    firsts: dict[str, Logged] = {}
    conflicts: dict[Refused, None] = {}
    for entry in logged:
        first = firsts.setdefault(entry.command.id, entry)
        if not is_same(first.command, entry.command):
            conflicts[conflict(entry.command.id)] = None
    return tuple(firsts.values()), tuple(conflicts)


def is_same(command: Command, other: Command) -> bool:
    """Whether two commands are the same order under the same id, whoever sent them and when."""
    return (command.account, command.id, command.order) == (other.account, other.id, other.order)


def conflict(command_id: str) -> Refused:
    """The refusal of a command whose id belongs to another command already."""
    return Refused(command_id, CONFLICT, f"the id {command_id} stands for another order already; nothing was changed")
