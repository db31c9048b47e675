"""``seatbeat assign``: give a user a seat, practitioner or single user (RULES 5)."""

from __future__ import annotations

import argparse

from pipeline.cli.command_list import COMMANDS
from pipeline.cli.order_options import add_at_option, add_order_options, add_seat_options, effective_at, run_order
from pipeline.model.orders import Assign


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("assign", help=COMMANDS["assign"])
    add_order_options(parser)
    add_seat_options(parser)
    parser.add_argument("--replaces", help="the user whose seat is taken over")
    add_at_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 accepted or known already; 2 refused, with the reason and when it becomes possible."""
    at = effective_at(args)
    return run_order(args, Assign(args.product, args.country, args.user, at, args.replaces, args.model))
