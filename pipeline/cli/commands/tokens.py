"""``seatbeat tokens``: buy and give back, balance, ledger, charges taken apart, outlook (RULES 6)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TypeVar

import orjson

from pipeline.application.token_account import TokenState, read_token_explanation, read_token_state
from pipeline.cli.commands.tokens_orders import add_buy_parser, add_credit_parser
from pipeline.cli.store_options import add_store_options, ask_store, now_ms, parse_instant
from pipeline.cli.tables.output import console
from pipeline.cli.tables.token_tables import print_balance, print_explanation, print_forecast, print_ledger
from pipeline.codec.reports.letter_records import printable
from pipeline.codec.reports.token_records import (
    TokenRecord,
    balance_record,
    charge_record,
    forecast_record,
    free_record,
    ledger_records,
)
from pipeline.model.errors import InputError
from pipeline.model.instants import EARLIEST_AT, LATEST_AT, iso
from pipeline.model.ledger_entries import Debit
from pipeline.model.text import fold
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.balance import balances
from pipeline.rules.tokens.charge_explanation import Asked
from pipeline.rules.tokens.forecast import forecast
from pipeline.store.client import Client

Answer = TypeVar("Answer")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its actions."""
    parser = subparsers.add_parser("tokens", help="token packs: buy, balance, ledger, why a charge, how long they last")
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
        action.add_argument(
            "--from", dest="from_at", type=parse_instant, default=EARLIEST_AT, metavar="WHEN", help="UTC"
        )
        action.add_argument(
            "--until", dest="until_at", type=parse_instant, default=LATEST_AT, metavar="WHEN", help="UTC"
        )
    for action in (balance, entries, explaining, outlook):
        add_store_options(action)
        choices = ("table", "json", "csv") if action is entries else ("table", "json")
        action.add_argument("--output", choices=choices, default="table")


def run_balance(args: argparse.Namespace) -> int:
    """0 with every team's balance on stdout."""
    state, currency = _asked(args, lambda client, reading: (read_token_state(client, reading), _currency(reading)))
    teams = [balance_record(one, state.ledger, currency) for one in balances(state.ledger, state.open_windows)]
    told = {**_head(state), "teams": teams}
    if args.output == "json":
        _print_json(told)
    else:
        print_balance(console(), told, teams)
    return 0


def run_ledger(args: argparse.Namespace) -> int:
    """0 with the entries on stdout."""
    _check_range(args)
    state = _asked(args, read_token_state)
    found: list[TokenRecord] = []
    for entry, record in ledger_records(state.ledger):
        window = entry.fact.window if isinstance(entry.fact, Debit) else None
        product, user = (window.product, window.user) if window else ("", "")
        is_whose = args.product in {"", product} and fold(args.user) in {"", user}
        if is_whose and args.from_at <= entry.at < args.until_at:
            found.append(record)
    if args.output == "json":
        _print_json(found)
    else:
        print_ledger(found, is_csv=args.output == "csv")
    return 0


def run_explain(args: argparse.Namespace) -> int:
    """0 with the charges, and what cost nothing, on stdout; 2 for a debit or product that there is not."""
    _check_range(args)
    asked = Asked(args.from_at, args.until_at, args.entry, args.product, fold(args.user))
    if args.entry and (args.product or args.user or (args.from_at, args.until_at) != (EARLIEST_AT, LATEST_AT)):
        raise InputError("--entry", "names one debit, and goes with nothing else", "Leave the other options out")
    state, explained = _asked(args, lambda client, reading: read_token_explanation(client, reading, asked))
    if args.entry and not explained.charges:
        raise InputError("--entry", f"there is no debit {printable(args.entry)}", "`seatbeat tokens ledger` lists them")
    _check_product(args.product, state)
    charges, free = [charge_record(one) for one in explained.charges], [free_record(one) for one in explained.free]
    if args.output == "json":
        _print_json({**_head(state), "charges": charges, "free": free})
    else:
        print_explanation(console(), charges, free)
    return 0


def run_forecast(args: argparse.Namespace) -> int:
    """0 with every team's outlook on stdout."""
    state = _asked(args, read_token_state)
    at = state.as_of(now_ms()) if args.at is None else int(args.at)
    teams = [forecast_record(one) for one in forecast(state.ledger, at)]
    if args.output == "json":
        _print_json({"at": iso(at), "teams": teams})
    else:
        print_forecast(console(), iso(at), teams)
    return 0


def _asked(args: argparse.Namespace, question: Callable[[Client, ContractReading], Answer]) -> Answer:
    return ask_store(args, lambda client, reading, _engine: question(client, reading))


def _currency(reading: ContractReading) -> str:
    return reading.contract.currency


def _head(state: TokenState) -> TokenRecord:
    settled = state.ledger.settled_until_at
    return {
        "account": state.ledger.account,
        "settled_until": iso(settled) if settled else None,
        "complete_until": None if state.complete_until is None else iso(state.complete_until),
    }


def _check_range(args: argparse.Namespace) -> None:
    if args.from_at >= args.until_at:
        raise InputError("--until", "is not after --from", "Give a later --until")


def _check_product(product: str, state: TokenState) -> None:
    charged = sorted({one for one, _ in state.reading.pools})
    plug_ins = [one.code for one in state.reading.contract.products.values() if one.plugin_of]
    if product and product not in {*charged, *plug_ins}:
        known = printable(", ".join(charged)) or "none"
        raise InputError("--product", f"{printable(product)} is not charged in tokens", f"Products that are: {known}")


def _print_json(told: object) -> None:
    sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
