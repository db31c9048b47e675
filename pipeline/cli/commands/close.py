"""``seatbeat close``: freeze the statement of a quarter with all that it rests on (RULES 7)."""

from __future__ import annotations

import argparse

from pipeline.application.account_view import AccountView
from pipeline.application.orders.close_quarter import ContractNotStored, close_quarter
from pipeline.application.orders.poster import NotPosted
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.order_options import REFUSED, add_id_option, new_issue
from pipeline.cli.post_options import add_author_option, chosen_poster, report_not_posted
from pipeline.cli.program_messages import report
from pipeline.cli.store_options import add_store_options, ask_account, parse_period
from pipeline.cli.tables.statement_remarks import closed_words
from pipeline.cli.tables.statement_tables import print_statement
from pipeline.codec.reports.letter_records import printable
from pipeline.model.errors import InputError
from pipeline.model.orders import Refused
from pipeline.rules.statement.closes import Closed


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "close",
        help=COMMANDS["close"],
        description="Freezes the statement of a quarter with all that it rests on. Later evidence, voids and contracts "
        "never rewrite it: the statement that is open then carries the difference. There is no way back.",
    )
    parser.add_argument("period", type=parse_period, metavar="PERIOD", help="a calendar quarter such as 2022Q2")
    add_store_options(parser)
    parser.add_argument("--force", action="store_true", help="close although evidence is not complete; recorded")
    add_id_option(parser)
    add_author_option(parser)
    parser.add_argument("--output", choices=("table", "json", "csv"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the frozen statement on stdout; 2 for what cannot be closed, or is closed; 1 where posting failed."""
    issue = new_issue(args)

    def ask(view: AccountView) -> Closed | Refused:
        poster = chosen_poster(args, view.client)
        return close_quarter(view, args.period, issue, poster, is_forced=args.force)

    try:
        closed = ask_account(args, ask, to_write=True)
    except ContractNotStored as error:
        remedy = "Apply it with `seatbeat contract apply`, so that the version a bill rests on is kept"
        reason = "is not among the stored versions of the contract"
        raise InputError(str(args.contract), reason, remedy) from error
    except NotPosted as error:
        return report_not_posted(error, f"give the same options and --id {issue.id} again")
    if isinstance(closed, Refused):
        report(printable(f"refused, {closed.code}: {closed.sentence}"))
        return REFUSED
    report(printable(closed_words(closed)))
    print_statement(closed.statement, args.output)
    return 0
