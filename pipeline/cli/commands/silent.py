"""``seatbeat silent``: machines whose evidence may still be missing."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from rich.table import Table

from pipeline.cli.store_options import add_store_options, ask_store, parse_period
from pipeline.cli.tables.cells import literal, minute
from pipeline.cli.tables.console import console, report
from pipeline.cli.tables.printing import print_json
from pipeline.model.instants import iso
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement.silent_machines import SilentMachine, SilentRange
from pipeline.store.client import Client
from pipeline.store.completeness_marks import read_complete_until
from pipeline.store.silent_sessions import read_silent_machines

Found = tuple[int | None, tuple[SilentMachine, ...]]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "silent",
        help="machines whose evidence may still be missing",
        description="Machines with a session that was not closed and has not been heard for 30 minutes, up to where "
        "evidence is complete. Without a period: as far back as clients may still deliver evidence.",
    )
    add_store_options(parser)
    parser.add_argument("--period", type=parse_period, metavar="2022Q2", help="only what was last heard in a quarter")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the machines on stdout."""

    def ask(client: Client, reading: ContractReading, _engine: str) -> Found:
        complete_until = read_complete_until(client, reading.contract.account)
        if complete_until is None:
            return None, ()
        silent = SilentRange.of(complete_until, reading.contract.lateness_days, args.period)
        return complete_until, read_silent_machines(client, reading.contract.account, silent)

    complete_until, found = ask_store(args, ask)
    if complete_until is None:
        report("nothing says up to when evidence is complete, so nobody knows which machines are silent")
    if args.output == "json":
        records = [{**asdict(one), "last_at": iso(one.last_at)} for one in found]
        told = {"complete_until": None if complete_until is None else iso(complete_until), "machines": records}
        print_json(told)
    else:
        _print_table(complete_until, found)
    return 0


def _print_table(complete_until: int | None, found: tuple[SilentMachine, ...]) -> None:
    table = Table()
    for name in ("Machine", "Last heard", "Users", "Products"):
        table.add_column(name, overflow="fold")
    table.add_column("Open sessions", justify="right")
    for one in found:
        users, products = (literal(", ".join(texts)) for texts in (one.users, one.products))
        table.add_row(literal(one.machine), minute(one.last_at), users, products, str(one.sessions))
    screen = console()
    screen.print(table)
    until = "unknown" if complete_until is None else f"{minute(complete_until)} UTC"
    screen.print(f"{len(found):,} machines; evidence complete until {until}")
