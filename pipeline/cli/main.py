"""``seatbeat``: the command line. Every command is a module of its own; this one only chooses and ends cleanly."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from pipeline import __version__
from pipeline.cli import check, demo, explain, migrate, run, settings, simulate, statement, usage, worker
from pipeline.cli.output import report
from pipeline.model.errors import ContractInvalid, InputError

DONE, FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

_COMMANDS = (demo, run, statement, usage, explain, check, simulate, worker, migrate, settings)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0 done; 1 it failed; 2 the input or the contract is wrong; 130 interrupted."""
    parser = argparse.ArgumentParser(
        prog="seatbeat",
        description="Meters licence use from client heartbeats, applies the contract's rules, explains every unit.",
    )
    parser.add_argument("--version", action="version", version=f"seatbeat {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(subparsers)
    parsed = parser.parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
        sys.stdout.flush()
    except (InputError, ContractInvalid) as error:
        report(str(error))
        return WRONG_INPUT
    except KeyboardInterrupt:
        report("interrupted; nothing is left running, and what was stored stays as it is")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return status


if __name__ == "__main__":
    sys.exit(main())
