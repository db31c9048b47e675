"""The log of an account's commands: the first of an id in log order is the command (RULES 5 and 7).

So whoever reads the log decides alike, however often a command was sent or delivered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipeline.model.orders import Command, Logged, Refused

CONFLICT: Final = "conflict"


def first_of_each(logged: Iterable[Logged]) -> tuple[tuple[Logged, ...], tuple[Refused, ...]]:
    """The first command of each id, in log order, and what came later under an id with another content.

    ``logged`` is one account's log, in order. The same command again is nothing new.
    """
    firsts: dict[str, Logged] = {}
    conflicts: dict[Refused, None] = {}
    for one in logged:
        first = firsts.setdefault(one.command.id, one)
        if not is_same(first.command, one.command):
            conflicts[conflict(one.command.id)] = None
    return tuple(firsts.values()), tuple(conflicts)


def is_same(one: Command, other: Command) -> bool:
    """Whether two commands order the same under the same id. Who sent it, and when, is not what is ordered."""
    return (one.account, one.id, one.order) == (other.account, other.id, other.order)


def conflict(command_id: str) -> Refused:
    """What is said of a command whose id stands for another one already."""
    return Refused(command_id, CONFLICT, f"the id {command_id} stands for another order already; nothing was changed")
