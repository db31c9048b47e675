"""``seatbeat close``: freeze the statement of a quarter with all that it rests on (RULES 7)."""

from __future__ import annotations

import argparse
import secrets
from dataclasses import replace
from typing import cast

from pipeline.application.account_view import AccountView
from pipeline.application.silent_report import silent_report
from pipeline.application.statement_life import open_statement
from pipeline.cli.post_options import NotPosted, add_author_option, author, posted, report_not_posted
from pipeline.cli.store_options import add_store_options, ask_account, now_ms, parse_period
from pipeline.cli.tables.console import report
from pipeline.cli.tables.statement_remarks import closed_words
from pipeline.cli.tables.statement_tables import print_statement
from pipeline.codec.reports.letter_records import printable
from pipeline.codec.statement_json import statement_json
from pipeline.codec.topics import command_messages
from pipeline.kafka.posting import command_message
from pipeline.kafka.topics import COMMANDS
from pipeline.model.errors import InputError
from pipeline.model.orders import Close, Command, Refused
from pipeline.rules.statement.closes import Closed, refuse_close
from pipeline.store.client import Client
from pipeline.store.order_log import is_stored

REFUSED = 2


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "close",
        help="freeze the statement of a quarter",
        description="Freezes the statement of a quarter with all that it rests on. Later evidence, voids and contracts "
        "never rewrite it: the statement that is open then carries the difference. There is no way back.",
    )
    parser.add_argument("period", type=parse_period, metavar="PERIOD", help="a calendar quarter such as 2022Q2")
    add_store_options(parser)
    parser.add_argument("--force", action="store_true", help="close although evidence is not complete; recorded")
    parser.add_argument("--id", default="", help="its id: the same again is nothing new (else a fresh one, printed)")
    add_author_option(parser)
    parser.add_argument("--output", choices=("table", "json", "csv"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the frozen statement on stdout; 2 for what cannot be closed, or is closed; 1 where posting failed."""

    def ask(view: AccountView) -> tuple[AccountView, Command | Closed | Refused]:
        return view, _prepared(args, view)

    view, found = ask_account(args, ask)
    if isinstance(found, Command):
        try:
            found = _post(args, view, found)
        except NotPosted as error:
            return report_not_posted(error, f"give the same options and --id {found.id} again")
    if isinstance(found, Refused):
        report(printable(f"refused, {found.code}: {found.sentence}"))
        return REFUSED
    report(printable(closed_words(found)))
    print_statement(found.statement, args.output)
    return 0


def _prepared(args: argparse.Namespace, view: AccountView) -> Command | Closed | Refused:
    """The close to be posted, or why there is none: closed under this id before, or refused."""
    period = args.period
    if view.stored_contract(view.contract.content_hash) is None:
        remedy = "Apply it with `seatbeat contract apply`, so that the version a bill rests on is kept"
        raise InputError(str(args.contract), "is not among the stored versions of the contract", remedy)
    quarters = view.closes.quarters
    first = quarters.get(period.name)
    if first is not None and first.id == args.id:
        return first
    computed = open_statement(view, period, now=now_ms())
    frozen = replace(computed, state="closed")
    complete_until = frozen.basis.complete_until
    incomplete = complete_until is None or complete_until < period.end_at
    close = Close(
        period=period.name,
        contract=view.contract.content_hash,
        statement=statement_json(frozen).decode("utf-8"),
        complete_until=complete_until,
        silent_machines=len(silent_report(view, period).machines),
        forced=args.force and incomplete,
    )
    command = Command(args.id or secrets.token_hex(8), view.account, author(args), now_ms(), close)
    return refuse_close(command, close, quarters) or command_messages.decode(command_messages.encode(command))


def _post(args: argparse.Namespace, view: AccountView, command: Command) -> Closed | Refused:
    """What came of the close: it stands, or the log had another before it."""
    period = cast(Close, command.order).period

    def shown(client: Client, partition: int, offset: int) -> bool:
        return is_stored(client, command.account, COMMANDS, partition, offset)

    life = posted(args, command_message(command), shown, lambda client: view.refreshed(client).closes)
    refused = next((one for one in life.refused if one.id == command.id), None)
    if refused is not None:
        return refused
    closed = life.quarters.get(period)
    if closed is None or closed.command != command:
        return Refused(command.id, "conflict", f"The id {command.id} stands for another order: nothing was closed.")
    return closed
