"""``seatbeat silent``: machines whose evidence may still be missing."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from pipeline.application.quarter.silent_report import SilentReport, silent_report
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.program_messages import report
from pipeline.cli.store_options import add_store_options, ask_account, parse_period
from pipeline.cli.tables.cells import literal, minute
from pipeline.cli.tables.console import console
from pipeline.cli.tables.fitted_table import FittedTable
from pipeline.cli.tables.printing import print_json
from pipeline.model.instants import iso


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "silent",
        help=COMMANDS["silent"],
        description="Machines with a session that was not closed and has not been heard for 30 minutes, up to where "
        "evidence is complete. Without a period: as far back as clients may still deliver evidence.",
    )
    add_store_options(parser)
    parser.add_argument("--period", type=parse_period, metavar="2022Q2", help="only what was last heard in a quarter")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the machines on stdout."""
    silent = ask_account(args, lambda view: silent_report(view, args.period))
    if silent.complete_until is None:
        report("nothing says up to when evidence is complete, so nobody knows which machines are silent")
    if args.output == "json":
        complete_until = None if silent.complete_until is None else iso(silent.complete_until)
        machines = [{**asdict(machine), "last_at": iso(machine.last_at)} for machine in silent.machines]
        print_json({"complete_until": complete_until, "machines": machines})
    else:
        _print_table(silent)
    return 0


def _print_table(silent: SilentReport) -> None:
    table = FittedTable()
    table.add_texts("Machine")
    table.add_whole("Last heard")
    table.add_texts("Users", "Products")
    table.add_figures("Open sessions")
    for machine in silent.machines:
        users, products = (literal(", ".join(texts)) for texts in (machine.users, machine.products))
        table.add_row(literal(machine.machine), minute(machine.last_at), users, products, str(machine.sessions))
    screen = console()
    screen.print(table)
    until = "unknown" if silent.complete_until is None else f"{minute(silent.complete_until)} UTC"
    screen.print(f"{len(silent.machines):,} machines; evidence complete until {until}")
