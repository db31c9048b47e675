"""``seatbeat dispute``: contest an over-used line with the vendor, by its packet and on record (RULES 7)."""

from __future__ import annotations

import argparse
from typing import cast

from pipeline.cli.command_list import COMMANDS
from pipeline.cli.commands.dispute_actions import add_actions
from pipeline.cli.packet_options import add_packet_options, check_invoice, named_packet, write_packet
from pipeline.cli.store_options import add_store_options, ask_account
from pipeline.codec.packets.packet_files import NAMES, Form
from pipeline.model.errors import InputError


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its actions."""
    parser = subparsers.add_parser(
        "dispute",
        help=COMMANDS["dispute"],
        description="Without an action: makes the ticket, the evidence and a printable page for one over-used line of "
        "a statement: who used it and when, what speaks for whom, and what the line would be without. The actions keep "
        "a record of the dispute; what the vendor grants becomes a credit.",
        usage="seatbeat dispute --period 2022Q2 --product PRODUCT [options]\n       "
        "seatbeat dispute {open,move,list} …",
    )
    add_store_options(parser)
    add_packet_options(parser, required=False)
    parser.add_argument("--output", choices=tuple(NAMES), help="else by the ending of --out, else text")
    parser.set_defaults(run=run)
    add_actions(parser)


def run(args: argparse.Namespace) -> int:
    """0 with the packet written."""
    if args.period is None or not args.product:
        remedy = "Give --period and --product for a packet, or one of the actions open, move and list"
        raise InputError("dispute", "is not told which line", remedy)
    check_invoice(args.invoice)
    packet = ask_account(args, lambda view: named_packet(view, args))
    write_packet(packet, args, cast(Form | None, args.output))
    return 0
