"""``seatbeat release``: take a user's seat back (RULES 5)."""

from __future__ import annotations

import argparse

from pipeline.cli.command_list import COMMANDS
from pipeline.cli.order_options import add_at_option, add_order_options, add_seat_options, effective_at, run_order
from pipeline.model.orders import Release


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("release", help=COMMANDS["release"])
    add_order_options(parser)
    add_seat_options(parser)
    add_at_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 accepted or known already; 2 refused, with the reason and when it becomes possible."""
    return run_order(args, Release(args.product, args.country, args.user, effective_at(args), args.model))
