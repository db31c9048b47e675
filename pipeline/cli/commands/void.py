"""``seatbeat void``: leave evidence out of every count, and undo that (RULES 7). Nothing is deleted."""

from __future__ import annotations

import argparse
from typing import Final

from pipeline.application.account_view import AccountView
from pipeline.application.orders.place_order import Issue
from pipeline.application.orders.poster import Poster
from pipeline.application.orders.void_evidence import void_evidence
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.order_options import add_order_options, run_order, run_use_case
from pipeline.cli.program_messages import report
from pipeline.cli.store_options import parse_instant
from pipeline.model.errors import InputError
from pipeline.model.orders import Unvoid, Void
from pipeline.rules.orders.outcomes import Outcome

_EXCLUDING: Final = ("session", "product", "machine", "user", "from_at", "until_at")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "void",
        help=COMMANDS["void"],
        description="Leaves evidence out of every count, on record and with a reason; nothing is deleted. A session is "
        "left out whole; of a machine or a user every ten-minute slot that overlaps the range. All that is stated must "
        "hold: --product, --machine and --user narrow a session down whose id is not unique.",
    )
    add_order_options(parser)
    parser.add_argument("--reason", required=True, help="shown on the statement")
    parser.add_argument("--undo", metavar="ID", help="undo the void of this id")
    parser.add_argument("--session", default="")
    parser.add_argument("--product", default="", help="the code as it was reported")
    parser.add_argument("--machine", default="")
    parser.add_argument("--user", default="")
    parser.add_argument("--from", dest="from_at", type=parse_instant, metavar="WHEN", help="UTC")
    parser.add_argument("--until", dest="until_at", type=parse_instant, metavar="WHEN", help="UTC, exclusive")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 accepted or known already; 2 for what cannot be left out, or an undo that finds no void in force."""
    if args.undo is None:
        void = Void(args.reason, args.session, args.product, args.machine, args.user, args.from_at, args.until_at)
        return run_use_case(args, lambda view, issue, poster: _placed(view, void, issue, poster))
    stated = [name for name in _EXCLUDING if getattr(args, name)]
    if stated:
        option = f"--{stated[0].removesuffix('_at')}"
        raise InputError(option, "does not go with --undo", "Give the id of the void and a reason, nothing else")
    return run_order(args, Unvoid(args.undo, args.reason))


def _placed(view: AccountView, void: Void, issue: Issue, poster: Poster) -> Outcome:
    """Place a void, and say on stderr where it leaves nothing out."""
    outcome, has_evidence = void_evidence(view, void, issue, poster)
    if outcome.status == "accepted" and not has_evidence:
        report(
            "no stored evidence is of what this void leaves out; was it misspelt? `seatbeat void --undo` takes it back"
        )
    return outcome
