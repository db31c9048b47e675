"""``seatbeat worker ROLE…``: production roles, each an app and a consumer group of its own."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os

from pipeline.agents.health.json_logs import log_to_stderr
from pipeline.agents.worker_process import ROLES, WorkerDidNotStart, work
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.program_messages import report
from pipeline.cli.store_options import now_ms
from pipeline.kafka.settings import Settings
from pipeline.model.errors import InputError

log = logging.getLogger(__name__)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("worker", help=COMMANDS["worker"])
    parser.add_argument("roles", nargs="+", choices=ROLES, metavar="ROLE", help=", ".join(ROLES))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 after SIGTERM, SIGINT or SIGHUP; 1 where an agent failed, so that the supervisor starts the process anew.

    Whatever keeps it from starting is one line of its log: 1 where broker, store or address are not there, 2 where a
    setting is wrong.
    """
    log_to_stderr()
    try:
        settings = Settings.from_environment(os.environ)
        args.last_resort.exit_on_signal(0)
        error = asyncio.run(work(settings, tuple(dict.fromkeys(args.roles)), now_ms, args.last_resort))
    except InputError as wrong:
        log.error("%s", wrong)  # noqa: TRY400 -- the sentence says all
        return 2
    except WorkerDidNotStart as missing:
        log.error("%s", missing)  # noqa: TRY400 -- the sentence says all
        return 1
    if error is None:
        return 0
    report(f"an agent failed: {error!r}")
    return 1
