"""All commands, each a module of its own: the one that is named is loaded, and its errors become exit statuses.

The others are not loaded: the production agents alone take a third of a second. Where none is named, as for --version
and --help, none is loaded.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Final, Protocol, cast

from pipeline import __version__
from pipeline.agents.last_resort import LastResort
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.option_parser import OptionParser
from pipeline.cli.program_messages import report
from pipeline.cli.standard_streams import flush_results
from pipeline.model.errors import ContractInvalid, InputError, InvariantBroken, RunFailed, StoreFault

DONE: Final = 0
FAILED: Final = 1
WRONG_INPUT: Final = 2

_MODULES: Final = {"dead-letters": "dead_letters", "settings": "show_settings"}
"""Commands whose module has another name."""


class CommandModule(Protocol):
    """A command's module. Its parser sets ``run``, which takes the parsed arguments and returns the exit status."""

    def add_parser(self, subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None: ...


def run_command(arguments: Sequence[str] | None, last_resort: LastResort) -> int:
    """Run the command that the arguments name, and return the exit status.

    Commands get ``last_resort`` among their arguments, to report a failure before they stop what runs.
    """
    try:
        status = _run_named(arguments, last_resort)
        flush_results()
    except (InputError, ContractInvalid) as error:
        report(str(error))
        return WRONG_INPUT
    except (RunFailed, StoreFault, InvariantBroken) as error:
        report(_failure(error))
        return FAILED
    except BrokenPipeError:
        return DONE  # the reader has gone, and wants no more
    except OSError as error:
        place, reason = error.filename or "the operating system", error.strerror or error
        report(f"{place}: {reason}. Check that it may be used and has room, and run the command again")
        return FAILED
    return status


def _failure(error: RunFailed | StoreFault | InvariantBroken) -> str:
    if isinstance(error, StoreFault):
        return f"the store failed: {error.line}"
    if isinstance(error, InvariantBroken):
        return f"what is stored contradicts itself: {error}; `seatbeat audit` tells where"
    return str(error)


def _run_named(arguments: Sequence[str] | None, last_resort: LastResort) -> int:
    parser = _parser_for(sys.argv[1:] if arguments is None else arguments)
    try:
        parsed = parser.parse_args(arguments, argparse.Namespace(last_resort=last_resort))
    except SystemExit:
        flush_results()  # of --help and --version
        raise
    status: int = parsed.run(parsed)
    return status


def _parser_for(words: Sequence[str]) -> OptionParser:
    if words and words[0] in COMMANDS:
        return command_parser(words[:1])
    return command_parser(COMMANDS) if set(words) & set(COMMANDS) else listing_parser()


def listing_parser() -> OptionParser:
    """The parser that lists the commands, and refuses what is none; no module is loaded."""
    parser, subparsers = _whole_parser()
    for name, line in COMMANDS.items():
        subparsers.add_parser(name, help=line)
    return parser


def command_parser(names: Iterable[str]) -> OptionParser:
    """The parser of these commands; their modules are loaded."""
    parser, subparsers = _whole_parser()
    for name in names:
        command = cast(CommandModule, import_module(f"pipeline.cli.commands.{_MODULES.get(name, name)}"))
        command.add_parser(subparsers)
    return parser


def _whole_parser() -> tuple[OptionParser, argparse._SubParsersAction[argparse.ArgumentParser]]:
    parser = OptionParser(
        prog="seatbeat",
        description="Meters licence use from client heartbeats, applies the contract's rules, explains every unit.",
    )
    parser.add_argument("--version", action="version", version=f"seatbeat {__version__}")
    return parser, parser.add_subparsers(metavar="COMMAND", required=True)
