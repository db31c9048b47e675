"""``seatbeat tokens buy`` and ``credit``: orders of tokens, idempotent by id, refused with a reason (RULES 6)."""

from __future__ import annotations

import argparse
import secrets

from pipeline.application.account_view import AccountView
from pipeline.application.orders.buy_tokens import Purchase, buy_tokens
from pipeline.application.orders.place_order import Issue
from pipeline.application.orders.poster import Poster
from pipeline.cli.order_options import (
    add_at_option,
    add_order_options,
    check_amount,
    effective_at,
    run_order,
    run_use_case,
)
from pipeline.codec.json_fields import WHOLE_MAX
from pipeline.model.errors import InputError
from pipeline.model.instants import MINUTE_MS
from pipeline.model.money import minor_digits, parse_money
from pipeline.model.orders import CreditTokens
from pipeline.rules.orders.outcomes import Outcome
from pipeline.rules.tokens.token_orders import DEFAULT_TEAM


def add_buy_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``tokens buy``."""
    parser = subparsers.add_parser(
        "buy",
        help="a purchase of tokens, valid for a year",
        description="Records a purchase. It pays for windows from its own instant on, never for what was left "
        "uncovered before. A purchase number stands for one purchase: the same with other packs is a conflict.",
    )
    add_order_options(parser)
    parser.add_argument("--tokens", type=int, required=True, metavar="N", help="all tokens of the purchase")
    parser.add_argument("--team", default=DEFAULT_TEAM, help=f"one that the contract names (else {DEFAULT_TEAM})")
    parser.add_argument("--purchase", default="", help="the vendor's number of the purchase, such as PO-77")
    parser.add_argument("--price", default="", help="of the whole purchase, in the contract's currency: 1500.00")
    parser.add_argument(
        "--packs", type=int, nargs="+", default=(), metavar="N", help="the packs' sizes, where it comes in several"
    )
    add_at_option(parser, "--purchased-at")
    parser.set_defaults(run=run_buy)


def add_credit_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare ``tokens credit``."""
    parser = subparsers.add_parser(
        "credit",
        help="tokens that the vendor gives back",
        description="Gives tokens back, for a reason that the ledger keeps. With --debit they go back to the packs "
        "that paid it and expire with them; without, they are a grant of their own, for a year.",
    )
    add_order_options(parser)
    parser.add_argument("--tokens", type=int, required=True, metavar="N")
    parser.add_argument("--reason", required=True)
    parser.add_argument("--debit", default="", metavar="ENTRY", help="the id of the debit (`seatbeat tokens ledger`)")
    parser.add_argument("--team", default=DEFAULT_TEAM, help=f"whose debit, or who gets them (else {DEFAULT_TEAM})")
    parser.set_defaults(run=run_credit)


def run_buy(args: argparse.Namespace) -> int:
    """0 accepted or known already; 2 for what cannot be bought; 1 where posting failed."""
    for name, tokens in (("--tokens", args.tokens), *(("--packs", size) for size in args.packs)):
        _check_tokens(name, tokens)
    if args.packs and sum(args.packs) != args.tokens:
        reason = f"no_sum: the packs come to {sum(args.packs):,} tokens, but --tokens is {args.tokens:,}"
        raise InputError("--packs", reason, "Give the size of every pack, and all of them together as --tokens")
    purchased_at = effective_at(args, "--purchased-at")
    if args.at is None:
        purchased_at -= purchased_at % MINUTE_MS  # the broker's clock may be a little behind ours
    name = args.purchase or args.id or secrets.token_hex(8)
    sizes = args.packs or (args.tokens,)

    def buy(view: AccountView, issue: Issue, poster: Poster) -> Outcome:
        price = _price(args.price, view.contract.currency) if args.price else None
        purchase = Purchase(name, args.purchase, args.team, sizes, purchased_at, price)
        return buy_tokens(view, purchase, issue, poster)

    return run_use_case(args, buy)


def run_credit(args: argparse.Namespace) -> int:
    """0 accepted or known already; 2 for what cannot be given back; 1 where posting failed."""
    _check_tokens("--tokens", args.tokens)
    return run_order(args, CreditTokens(args.team, args.tokens, args.reason, args.debit))


def _check_tokens(option: str, tokens: int) -> None:
    if tokens <= 0:
        raise InputError(option, f"no_tokens: {tokens} is no number of tokens to give", "Give a number from 1 on")
    if tokens > WHOLE_MAX:
        raise InputError(option, f"no_tokens: {tokens:,} is beyond what a ledger counts", f"Give at most {WHOLE_MAX:,}")


def _price(text: str, currency: str) -> int:
    """A price in the smallest unit. Raises ``InputError`` for one that is no amount, or is nothing."""
    remedy = f"Give it with at most {minor_digits(currency)} decimals, such as 1500, or leave it out"
    try:
        price = parse_money(text, currency)
    except ValueError as error:
        raise InputError("--price", f"bad_price: {error}", remedy) from error
    if price == 0:
        raise InputError("--price", "bad_price: a purchase is not free", remedy)
    check_amount("--price", price, currency)
    return price
