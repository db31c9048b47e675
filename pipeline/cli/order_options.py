"""What the commands that order something share: the options of an order, and how its outcome is printed."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable
from typing import Final

from pipeline.application.account_view import AccountView
from pipeline.application.orders.place_order import Issue, place_order
from pipeline.application.orders.poster import NotPosted, Poster
from pipeline.cli.post_options import add_author_option, author, chosen_poster, report_not_posted
from pipeline.cli.program_messages import report
from pipeline.cli.standard_streams import flush_results
from pipeline.cli.store_options import add_store_options, ask_account, now_ms, parse_instant
from pipeline.cli.tables.order_table import refusal_text
from pipeline.cli.tables.printing import print_json
from pipeline.codec.json_fields import WHOLE_MAX
from pipeline.codec.reports.letter_records import printable
from pipeline.codec.reports.outcome_records import OutcomeRecord, outcome_record
from pipeline.codec.topics.command_messages import CommandInvalid
from pipeline.model.errors import InputError, RunFailed
from pipeline.model.money import format_money, parse_money
from pipeline.model.orders import Order
from pipeline.rules.orders.outcomes import Outcome

REFUSED: Final = 2
UseCase = Callable[[AccountView, Issue, Poster], Outcome]
"""What orders something: for which account, issued by whom and when, posted by what."""

_EFFECTS: Final = {"accepted": "accepted", "known": "known already, nothing new"}


def add_order_options(parser: argparse.ArgumentParser) -> None:
    """The options that every order has."""
    add_store_options(parser)
    add_id_option(parser)
    add_author_option(parser)
    parser.add_argument("--confirm", default="", metavar="FIGURE", help="that of an unusual order, as its refusal says")
    parser.add_argument("--output", choices=("text", "json"), default="text")


def add_id_option(parser: argparse.ArgumentParser) -> None:
    """The option for an order's id."""
    parser.add_argument("--id", default="", help="its id: the same again is nothing new (else a fresh one, printed)")


def add_seat_options(parser: argparse.ArgumentParser) -> None:
    """The options of an order about a seat."""
    parser.add_argument("--product", required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--country", default="", help="else the contract's")
    parser.add_argument("--model", choices=("practitioner", "single_user"), help="where the product has seats of both")


def add_at_option(parser: argparse.ArgumentParser, name: str = "--at") -> None:
    """The option for when an order takes effect: now where it is not given."""
    parser.add_argument(name, dest="at", type=parse_instant, metavar="WHEN", help="UTC (else now)")


def effective_at(args: argparse.Namespace, name: str = "--at") -> int:
    """When an order takes effect. Raises ``InputError`` for an id without an instant: now is never the same again."""
    if args.at is not None:
        return int(args.at)
    if args.id:
        raise InputError(
            name, "is not given, but --id is; now would be another order each time", f"Give {name} as well"
        )
    return now_ms()


def new_issue(args: argparse.Namespace) -> Issue:
    """Under which id an order is issued and by whom, now. Raises ``InputError`` where nobody is named."""
    confirmed = getattr(args, "confirm", "")  # a close is confirmed by --force
    return Issue(args.id or secrets.token_hex(8), author(args), now_ms(), confirmed)


def amount_option(name: str, text: str, currency: str) -> int:
    """An amount from the command line in the smallest unit. Raises ``InputError`` for what is no amount."""
    try:
        amount = parse_money(text, currency)
    except ValueError as error:
        raise InputError(name, str(error), "Give it as 960.00") from error
    check_amount(name, amount, currency)
    return amount


def check_amount(name: str, amount: int, currency: str) -> None:
    """Raises ``InputError`` for more than the message of an order can hold."""
    if amount > WHOLE_MAX:
        given, most = (format_money(minor, currency) for minor in (amount, WHOLE_MAX))
        raise InputError(name, f"{given} is beyond what an order holds", f"Give at most {most}")


def run_order(args: argparse.Namespace, order: Order) -> int:
    """Place an order and print its outcome, as ``run_use_case`` does."""
    return run_use_case(args, lambda view, issue, poster: place_order(view, order, issue, poster))


def run_use_case(args: argparse.Namespace, use_case: UseCase) -> int:
    """Order something and print its outcome: 0 accepted or known, 2 refused or in conflict, 1 where posting failed.

    Raises ``InputError`` for what the options hold wrong.
    """
    issue = new_issue(args)

    def ask(view: AccountView) -> OutcomeRecord:
        outcome = use_case(view, issue, chosen_poster(args, view.client))
        return outcome_record(outcome, view.contract.currency)

    try:
        record = ask_account(args, ask, to_write=True)
    except CommandInvalid as error:
        raise _wrong_option(error) from error
    except NotPosted as error:
        return report_not_posted(error, f"give the same options, --id {issue.id} and the instant again")
    try:
        status = _print_outcome(record, args.output)
        flush_results()
    except RunFailed as error:
        if record["code"] is not None:
            raise
        report(_effect_text(record))
        remedy = f"What was ordered stands: give --id {record['id']} to order it once more without effect"
        raise RunFailed(error.place, error.reason, remedy) from error
    return status


def _wrong_option(error: CommandInvalid) -> InputError:
    first, others = error.mistakes[0], len(error.mistakes) - 1
    more = f" (and {others} more)" if others else ""
    return InputError(f"--{first.field}", printable(first.reason) + more, first.remedy)


def _print_outcome(record: OutcomeRecord, output: str) -> int:
    has_effect = record["code"] is None
    if output == "json":
        print_json(record)
    elif has_effect:
        print(_effect_text(record))
    else:
        report(printable(refusal_text(record)))
    return 0 if has_effect else REFUSED


def _effect_text(record: OutcomeRecord) -> str:
    return printable(f"{_EFFECTS[record['outcome']]}: {record['what']} (id {record['id']})")
