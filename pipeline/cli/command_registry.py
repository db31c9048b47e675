"""All commands, each a module of its own: the one that is named is loaded, and its errors become exit statuses.

The others are not loaded: the production agents alone take a third of a second.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, Protocol, cast

from pipeline import __version__
from pipeline.agents.last_resort import LastResort
from pipeline.cli.tables.console import report
from pipeline.model.errors import ContractInvalid, InputError, InvariantBroken, StoreFault

DONE: Final = 0
FAILED: Final = 1
WRONG_INPUT: Final = 2

_COMMANDS: Final = (
    "demo", "run", "statement", "close", "usage", "denials", "explain", "silent", "contract", "assign", "release",
    "checkout", "checkin", "void", "tokens", "audit", "commands", "dispute", "dead-letters", "check", "simulate",
    "worker", "migrate", "settings",
)  # fmt: skip
_MODULES: Final = {"dead-letters": "dead_letters", "settings": "show_settings"}
"""Commands whose module has another name."""


class CommandModule(Protocol):
    """A command's module. Its parser sets ``run``, which takes the parsed arguments and returns the exit status."""

    def add_parser(self, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None: ...


def run_command(arguments: Sequence[str] | None, last_resort: LastResort) -> int:
    """Run the command that the arguments name, and return the exit status.

    Commands get ``last_resort`` among their arguments, to report a failure before they stop what runs.
    """
    parser = argparse.ArgumentParser(
        prog="seatbeat",
        description="Meters licence use from client heartbeats, applies the contract's rules, explains every unit.",
    )
    parser.add_argument("--version", action="version", version=f"seatbeat {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    named = (sys.argv[1:] if arguments is None else arguments)[:1]
    for name in named if set(named) & set(_COMMANDS) else _COMMANDS:
        command = cast(CommandModule, import_module(f"pipeline.cli.commands.{_MODULES.get(name, name)}"))
        command.add_parser(subparsers)
    parsed = parser.parse_args(arguments, argparse.Namespace(last_resort=last_resort))
    try:
        status: int = parsed.run(parsed)
        sys.stdout.flush()
    except (InputError, ContractInvalid) as error:
        report(str(error))
        return WRONG_INPUT
    except StoreFault as error:
        report(f"the store failed: {error.line}")
        return FAILED
    except InvariantBroken as error:
        report(f"what is stored contradicts itself: {error}; `seatbeat audit` tells where")
        return FAILED
    except BrokenPipeError:
        # The reader has gone. What is still buffered must not fail once more when the interpreter flushes it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return status
