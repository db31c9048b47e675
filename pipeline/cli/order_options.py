"""What the commands that order something share: one order, judged by the log it is posted to, and its outcome.

An order that the log as it stands would refuse is not posted: so its id stays free for when it becomes possible, and
nothing that was refused comes into effect behind anybody's back when a contract changes. What others post meanwhile is
seen afterwards: the outcome told is that of the log.
"""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable, Sequence
from typing import Final

from pipeline.application.account_view import AccountView
from pipeline.application.token_settlement import refused_token_orders, settle_stored
from pipeline.cli.post_options import NotPosted, add_author_option, author, posted, report_not_posted
from pipeline.cli.store_options import add_store_options, ask_account, now_ms, parse_instant
from pipeline.cli.tables.console import report
from pipeline.cli.tables.order_table import refusal_text
from pipeline.cli.tables.printing import print_json
from pipeline.codec.reports.letter_records import printable
from pipeline.codec.reports.outcome_records import OutcomeRecord, outcome_record
from pipeline.codec.topics import command_messages
from pipeline.kafka.posting import command_message
from pipeline.kafka.topics import COMMANDS
from pipeline.model.errors import InputError
from pipeline.model.orders import BuyTokens, Command, CreditTokens, Logged, Order
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.orders.first_of_id import first_of_each
from pipeline.rules.orders.outcomes import Outcome, outcomes
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.order_log import is_stored

REFUSED: Final = 2
MakeOrder = Callable[[ContractReading], Order]
"""An order from the options and the contract it is judged by."""


def add_order_options(parser: argparse.ArgumentParser) -> None:
    """The options that every order has."""
    add_store_options(parser)
    parser.add_argument("--id", default="", help="its id: the same again is nothing new (else a fresh one, printed)")
    add_author_option(parser)
    parser.add_argument("--output", choices=("text", "json"), default="text")


def add_seat_options(parser: argparse.ArgumentParser) -> None:
    """The options of an order about a seat."""
    parser.add_argument("--product", required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--country", default="", help="else the contract's")
    parser.add_argument("--model", choices=("practitioner", "single_user"), help="where the product has seats of both")


def add_at_option(parser: argparse.ArgumentParser, name: str = "--at") -> None:
    """The option for when an order takes effect: now where it is not given."""
    parser.add_argument(name, dest="at", type=parse_instant, metavar="WHEN", help="UTC (else now)")


def instant_of(args: argparse.Namespace, name: str = "--at") -> int:
    """When an order takes effect. Raises ``InputError`` for an id without an instant: now is never the same again."""
    if args.at is not None:
        return int(args.at)
    if args.id:
        raise InputError(
            name, "is not given, but --id is; now would be another order each time", f"Give {name} as well"
        )
    return now_ms()


def place_order(args: argparse.Namespace, make: MakeOrder, note: Callable[[Client, Command], str] | None = None) -> int:
    """Post an order and tell its outcome: 0 accepted or known, 2 refused or in conflict, 1 where posting failed.

    ``note`` may have something to say of an order that is accepted.
    """

    def ask(view: AccountView) -> tuple[Outcome, AccountView, str]:
        command = _read_again(
            Command(args.id or secrets.token_hex(8), view.account, author(args), now_ms(), make(view.reading))
        )
        outcome = _outcomes(view, [*view.log, Logged(command, command.issued_at)])[-1]
        if outcome.status == "known":
            _carry_out(args, view, command)
        return outcome, view, note(view.client, command) if note else ""

    outcome, view, noted = ask_account(args, ask)
    command = outcome.logged.command
    if outcome.status == "accepted":

        def after(client: Client) -> Outcome:
            then = view.refreshed(client)
            _carry_out(args, then, command)
            return _latest(_outcomes(then.refreshed(), then.log), command)

        try:
            outcome = posted(args, command_message(command), _shown(command), after)
        except NotPosted as error:
            return report_not_posted(error, f"give the same options, --id {command.id} and the instant again")
        if noted:
            report(noted)
    return _tell(outcome_record(outcome, view.contract.currency), args.output)


def _outcomes(view: AccountView, logged: Sequence[Logged]) -> tuple[Outcome, ...]:
    by_ledger = refused_token_orders(view, first_of_each(logged)[0])
    return outcomes(view.reading, logged, by_ledger=by_ledger)


def _carry_out(args: argparse.Namespace, view: AccountView, command: Command) -> None:
    """Take an order of tokens into the ledger of a folder's store; in a server's, the tokens agent does.

    What is settled stays for good, so that is done under the stored contract, whichever one judged the order.
    """
    if args.data_dir is not None and isinstance(command.order, BuyTokens | CreditTokens):
        stored = view.stored_contract()
        kept = view if stored is None else view.under(ContractReading(stored, metering_catalogue()))
        settle_stored(kept, now=now_ms())


def _shown(command: Command) -> Callable[[Client, int, int], bool]:
    return lambda client, partition, offset: is_stored(client, command.account, COMMANDS, partition, offset)


def _latest(found: Sequence[Outcome], command: Command) -> Outcome:
    """The outcome of what was just posted: the last message under its id."""
    return next(one for one in reversed(found) if one.logged.command.id == command.id)


def _read_again(command: Command) -> Command:
    """The command as every reader of the log will read it. Raises ``InputError`` for what the options hold wrong."""
    try:
        return command_messages.decode(command_messages.encode(command))
    except command_messages.CommandInvalid as error:
        first = error.mistakes[0]
        more = f" (and {len(error.mistakes) - 1} more)" if len(error.mistakes) > 1 else ""
        raise InputError(f"--{first.field}", printable(first.reason) + more, first.remedy) from error


def _tell(record: OutcomeRecord, output: str) -> int:
    if output == "json":
        print_json(record)
    elif record["code"] is None:
        print(printable(f"{_WORDS[record['outcome']]}: {record['what']} (id {record['id']})"))
    else:
        report(printable(refusal_text(record)))
    return 0 if record["code"] is None else REFUSED


_WORDS: Final = {"accepted": "accepted", "known": "known already, nothing new"}
