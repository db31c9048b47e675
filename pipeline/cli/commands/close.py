"""``seatbeat close``: freeze the statement of a quarter with all that it rests on (RULES 7)."""

from __future__ import annotations

import argparse
import secrets
from dataclasses import replace
from typing import cast

from pipeline import __version__
from pipeline.application.statement_life import Engine, open_statement, read_life
from pipeline.cli.commands.run import print_statement
from pipeline.cli.post_options import NotPosted, add_author_option, author, posted, report_not_posted
from pipeline.cli.store_options import add_store_options, ask_store, now_ms, parse_period
from pipeline.cli.tables.output import closed_words, report
from pipeline.codec.reports.letter_records import printable
from pipeline.codec.statement.statement_json import statement_json
from pipeline.codec.topics import command_messages
from pipeline.kafka.posting import command_message
from pipeline.kafka.topics import COMMANDS
from pipeline.model.errors import InputError
from pipeline.model.orders import Close, Command, Refused
from pipeline.model.statements import Statement
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement.closes import Closed, refuse_close
from pipeline.rules.statement.silent_machines import SilentRange
from pipeline.store.client import Client
from pipeline.store.completeness_marks import read_complete_until
from pipeline.store.contract_versions import stored_contract
from pipeline.store.order_log import is_stored
from pipeline.store.silent_sessions import read_silent_machines

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

    def ask(client: Client, reading: ContractReading, engine: str) -> Command | Closed | Refused:
        return _prepared(args, client, reading, cast(Engine, engine))

    found = ask_store(args, ask)
    if isinstance(found, Command):
        try:
            found = _post(args, found)
        except NotPosted as error:
            return report_not_posted(error, f"give the same options and --id {found.id} again")
    if isinstance(found, Refused):
        report(printable(f"refused, {found.code}: {found.sentence}"))
        return REFUSED
    report(printable(closed_words(found)))
    print_statement(found.statement, args.output)
    return 0


def _prepared(
    args: argparse.Namespace, client: Client, reading: ContractReading, engine: Engine
) -> Command | Closed | Refused:
    """The close to be posted, or why there is none: closed under this id before, or refused."""
    account, period = reading.contract.account, args.period
    if stored_contract(client, account, reading.contract.content_hash) is None:
        remedy = "Apply it with `seatbeat contract apply`, so that the version a bill rests on is kept"
        raise InputError(str(args.contract), "is not among the stored versions of the contract", remedy)
    quarters = read_life(client, account).quarters
    first = quarters.get(period.name)
    if first is not None and first.id == args.id:
        return first
    computed = open_statement(client, reading, period, seatbeat=__version__, engine=engine, now=now_ms())
    frozen = replace(computed, state="closed")
    complete_until = frozen.basis.complete_until
    incomplete = complete_until is None or complete_until < period.end_at
    close = Close(
        period=period.name,
        contract=reading.contract.content_hash,
        statement=statement_json(frozen).decode("utf-8"),
        complete_until=complete_until,
        silent_machines=_silent(client, reading, frozen),
        forced=args.force and incomplete,
    )
    command = Command(args.id or secrets.token_hex(8), account, author(args), now_ms(), close)
    return refuse_close(command, close, quarters) or command_messages.decode(command_messages.encode(command))


def _silent(client: Client, reading: ContractReading, statement: Statement) -> int:
    complete_until = read_complete_until(client, statement.account)
    if complete_until is None:
        return 0
    silent = SilentRange.of(complete_until, reading.contract.lateness_days, statement.period)
    return len(read_silent_machines(client, statement.account, silent))


def _post(args: argparse.Namespace, command: Command) -> Closed | Refused:
    """What came of the close: it stands, or the log had another before it."""
    period = cast(Close, command.order).period

    def shown(client: Client, partition: int, offset: int) -> bool:
        return is_stored(client, command.account, COMMANDS, partition, offset)

    life = posted(args, command_message(command), shown, lambda client: read_life(client, command.account))
    refused = next((one for one in life.refused if one.id == command.id), None)
    if refused is not None:
        return refused
    closed = life.quarters.get(period)
    if closed is None or closed.command != command:
        return Refused(command.id, "conflict", f"The id {command.id} stands for another order: nothing was closed.")
    return closed
