"""``seatbeat worker ROLE…``: production roles, each an app and a consumer group of its own."""

from __future__ import annotations

import argparse
import asyncio
import os

from pipeline.agents.health.json_logs import log_to_stderr
from pipeline.agents.worker_process import ROLES, work
from pipeline.cli.store_options import now_ms
from pipeline.cli.tables.console import report
from pipeline.kafka.settings import Settings


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("worker", help="run agents until they are told to stop")
    parser.add_argument("roles", nargs="+", choices=ROLES, metavar="ROLE", help=", ".join(ROLES))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 after SIGTERM or SIGINT; 1 where an agent failed, so that the supervisor starts the process anew."""
    settings = Settings.from_environment(os.environ)
    log_to_stderr()
    error = asyncio.run(work(settings, tuple(dict.fromkeys(args.roles)), now_ms))
    if error is None:
        return 0
    report(f"an agent failed: {error!r}")
    return 1
