"""``seatbeat tokens``: buy and give back, balance, ledger, charges taken apart, outlook (RULES 6)."""

from __future__ import annotations

import argparse

from pipeline.application.tokens.token_account import (
    TokenState,
    explained_charges,
    is_asked_for,
    token_forecast,
    token_state,
)
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.commands.tokens_orders import add_buy_parser, add_credit_parser
from pipeline.cli.store_options import (
    add_range_options,
    add_store_options,
    ask_account,
    check_range,
    now_ms,
    parse_instant,
)
from pipeline.cli.tables.console import console
from pipeline.cli.tables.printing import print_csv, print_json
from pipeline.cli.tables.token_tables import print_balance, print_charges, print_forecast, print_ledger
from pipeline.codec.reports.token_records import (
    LEDGER_COLUMNS,
    TokenRecord,
    balance_record,
    charge_record,
    forecast_record,
    free_record,
    ledger_records,
)
from pipeline.model.errors import InputError
from pipeline.model.instants import EARLIEST_AT, LATEST_AT, iso
from pipeline.model.text import fold
from pipeline.rules.tokens.charge_explanation import Asked


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its actions."""
    parser = subparsers.add_parser("tokens", help=COMMANDS["tokens"])
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    add_buy_parser(actions)
    add_credit_parser(actions)
    balance = actions.add_parser("balance", help="what each team has, settled and reserved apart, and its packs")
    balance.set_defaults(run=run_balance)
    entries = actions.add_parser("ledger", help="every entry in order")
    entries.set_defaults(run=run_ledger)
    explaining = actions.add_parser(
        "explain",
        help="each charge down to the stretches that caused it, and what cost nothing and why",
        description="Takes charges apart: window, packs that paid, and the stretches of activity of which any one "
        "alone would have made it start. Below stand connections of the same user, product and time that cost nothing.",
    )
    explaining.add_argument("--entry", default="", help="one debit, by its id")
    explaining.set_defaults(run=run_explain)
    outlook = actions.add_parser("forecast", help="days left at the present rate; what expires unused, and when")
    outlook.add_argument("--at", type=parse_instant, metavar="WHEN", help="UTC (else where stored evidence ends)")
    outlook.set_defaults(run=run_forecast)
    for action in (entries, explaining):
        action.add_argument("--product", default="", help="a product of the contract")
        action.add_argument("--user", default="")
        add_range_options(action)
    for action in (balance, entries, explaining, outlook):
        add_store_options(action)
        choices = ("table", "json", "csv") if action is entries else ("table", "json")
        action.add_argument("--output", choices=choices, default="table")


def run_balance(args: argparse.Namespace) -> int:
    """0 with every team's balance on stdout."""
    state, currency = ask_account(args, lambda view: (token_state(view), view.contract.currency))
    teams = [balance_record(balance, state.ledger, currency) for balance in state.balances(now_ms())]
    record = {**_head(state), "teams": teams}
    if args.output == "json":
        print_json(record)
    else:
        print_balance(console(), record, teams)
    return 0


def run_ledger(args: argparse.Namespace) -> int:
    """0 with the entries on stdout."""
    check_range(args)
    asked = Asked(args.from_at, args.until_at, product=args.product, user=fold(args.user))
    ledger = ask_account(args, lambda view: view.ledger)
    records = [record for entry, record in ledger_records(ledger) if is_asked_for(entry, asked)]
    if args.output == "json":
        print_json(records)
    elif args.output == "csv":
        print_csv(LEDGER_COLUMNS, ([record[name] for name in LEDGER_COLUMNS] for record in records))
    else:
        print_ledger(console(), records)
    return 0


def run_explain(args: argparse.Namespace) -> int:
    """0 with the charges, and what cost nothing, on stdout; 2 for a debit or product that there is not."""
    check_range(args)
    asked = Asked(args.from_at, args.until_at, args.entry, args.product, fold(args.user))
    if asked.entry and (asked.product or asked.user or (asked.from_at, asked.until_at) != (EARLIEST_AT, LATEST_AT)):
        raise InputError("--entry", "names one debit, and goes with nothing else", "Leave the other options out")
    state, explained = ask_account(args, lambda view: explained_charges(view, asked))
    charges = [charge_record(charge) for charge in explained.charges]
    free = [free_record(connection) for connection in explained.free]
    if args.output == "json":
        print_json({**_head(state), "charges": charges, "free": free})
    else:
        print_charges(console(), charges, free)
    return 0


def run_forecast(args: argparse.Namespace) -> int:
    """0 with every team's outlook on stdout."""
    at, outlooks = ask_account(args, lambda view: token_forecast(view, now_ms(), args.at))
    teams = [forecast_record(outlook) for outlook in outlooks]
    if args.output == "json":
        print_json({"at": iso(at), "teams": teams})
    else:
        print_forecast(console(), iso(at), teams)
    return 0


def _head(state: TokenState) -> TokenRecord:
    settled = state.ledger.settled_until_at
    return {
        "account": state.ledger.account,
        "settled_until": iso(settled) if settled else None,
        "complete_until": None if state.complete_until is None else iso(state.complete_until),
    }
