"""``seatbeat dispute open|move|list``: disputes as records, from draft to what the vendor grants (RULES 7)."""

from __future__ import annotations

import argparse
from typing import Final, get_args

from pipeline.application.account_view import AccountView
from pipeline.application.orders.disputes import account_disputes, open_dispute
from pipeline.application.orders.place_order import Issue, place_order
from pipeline.application.orders.poster import Poster
from pipeline.cli.order_options import add_order_options, amount_option, run_use_case
from pipeline.cli.packet_options import add_packet_options, check_invoice, named_packet, write_packet
from pipeline.cli.store_options import add_store_options, ask_account
from pipeline.cli.tables.console import console
from pipeline.cli.tables.dispute_table import print_disputes
from pipeline.cli.tables.printing import print_json
from pipeline.codec.reports.dispute_records import DisputeRecord, dispute_record
from pipeline.model.orders import DisputeState, MoveDispute
from pipeline.rules.dispute.packet import Packet
from pipeline.rules.orders.outcomes import Outcome

STATES: Final[tuple[DisputeState, ...]] = get_args(DisputeState)
_SHARED: Final = ("data_dir", "contract", "account", "country", "invoice", "language", "pseudonyms", "out")
"""Options that ``seatbeat dispute`` has with and without an action."""


def add_actions(parser: argparse.ArgumentParser) -> None:
    """Declare the actions of ``seatbeat dispute``."""
    actions = parser.add_subparsers(metavar="ACTION", title="actions")
    opening = actions.add_parser(
        "open",
        help="put a line's dispute on record, as a draft",
        description="Puts the dispute of one over-used line on record, as a draft, with what its packet asks back. "
        "With --out the packet is written as well.",
    )
    add_order_options(opening)
    add_packet_options(opening, required=True)
    opening.add_argument("--amount", metavar="960.00", help="what is asked back (else what the packet asks)")
    opening.add_argument("--comment", default="")
    opening.set_defaults(run=run_open)
    moving = actions.add_parser(
        "move",
        help="say what became of a dispute",
        description="A dispute goes from draft to submitted, answered, and granted or refused, one step at a time. The "
        "state that it is in adds a comment or the ticket number. What is granted is a credit.",
    )
    moving.add_argument("dispute", metavar="ID", help="as `seatbeat dispute list` tells it")
    add_order_options(moving)
    moving.add_argument("--state", choices=STATES, required=True)
    moving.add_argument("--ticket", default="", metavar="NUMBER", help="the vendor's ticket")
    moving.add_argument("--granted", metavar="960.00", help="what the vendor gives back, with --state granted")
    moving.add_argument("--comment", default="")
    moving.set_defaults(run=run_move)
    listing = actions.add_parser("list", help="every dispute of the account, with its state and comments")
    add_store_options(listing)
    listing.add_argument("--output", choices=("table", "json"), default="table")
    listing.set_defaults(run=run_list)
    for action in (opening, moving, listing):
        action.prog = f"seatbeat dispute {action.prog.split()[-1]}"
        _keep_options_before(action)


def _keep_options_before(action: argparse.ArgumentParser) -> None:
    """``dispute --data-dir D open …``: an option that the action is not given is not put back to its default."""
    for option in action._actions:  # noqa: SLF001 -- argparse tells its options in no other way
        if option.dest in _SHARED:
            option.default = argparse.SUPPRESS


def run_open(args: argparse.Namespace) -> int:
    """0 accepted or known already; 2 for a line that cannot be contested; 1 where posting failed."""
    check_invoice(args.invoice)
    packets: list[Packet] = []

    def open_it(view: AccountView, issue: Issue, poster: Poster) -> Outcome:
        packets.append(named_packet(view, args))
        amount = None if args.amount is None else amount_option("--amount", args.amount, view.contract.currency)
        return open_dispute(view, packets[0], issue, poster, amount=amount, comment=args.comment)

    status = run_use_case(args, open_it)
    if args.out is not None and status == 0:
        write_packet(packets[0], args, None)
    return status


def run_move(args: argparse.Namespace) -> int:
    """0 accepted or known already; 2 for a step that is not the next, or an amount without one."""

    def move(view: AccountView, issue: Issue, poster: Poster) -> Outcome:
        granted = None if args.granted is None else amount_option("--granted", args.granted, view.contract.currency)
        order = MoveDispute(args.dispute, args.state, args.ticket, args.comment, granted)
        return place_order(view, order, issue, poster)

    return run_use_case(args, move)


def run_list(args: argparse.Namespace) -> int:
    """0 with the disputes on stdout, in the order in which they were opened."""

    def ask(view: AccountView) -> list[DisputeRecord]:
        return [dispute_record(dispute, view.contract.currency) for dispute in account_disputes(view)]

    records = ask_account(args, ask)
    if args.output == "json":
        print_json(records)
    else:
        print_disputes(console(), records)
    return 0
