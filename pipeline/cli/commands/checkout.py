"""``seatbeat checkout``: take a licence offline for one user and machine (RULES 5)."""

from __future__ import annotations

import argparse

from pipeline.cli.command_list import COMMANDS
from pipeline.cli.order_options import add_at_option, add_order_options, effective_at, run_order
from pipeline.cli.store_options import parse_instant
from pipeline.model.orders import CheckOut


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("checkout", help=COMMANDS["checkout"])
    add_order_options(parser)
    for name in ("--product", "--user", "--machine"):
        parser.add_argument(name, required=True)
    parser.add_argument("--country", default="", help="else the contract's")
    add_at_option(parser, "--from")
    parser.add_argument("--until", type=parse_instant, required=True, metavar="WHEN", help="UTC, exclusive")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 accepted or known already; 2 refused, with the reason and when it becomes possible."""
    from_at = effective_at(args, "--from")
    return run_order(args, CheckOut(args.product, args.country, args.user, args.machine, from_at, args.until))
