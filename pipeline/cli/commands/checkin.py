"""``seatbeat checkin``: give a licence that was taken offline back early (RULES 5)."""

from __future__ import annotations

import argparse

from pipeline.cli.command_list import COMMANDS
from pipeline.cli.order_options import add_at_option, add_order_options, effective_at, run_order
from pipeline.model.orders import CheckIn


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("checkin", help=COMMANDS["checkin"])
    add_order_options(parser)
    parser.add_argument("--checkout", required=True, metavar="ID", help="the id under which it was checked out")
    add_at_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 accepted or known already; 2 refused, with the reason."""
    return run_order(args, CheckIn(args.checkout, effective_at(args)))
