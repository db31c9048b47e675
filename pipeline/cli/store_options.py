"""What commands share: which store, which account and contract, which period, and the clock."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pipeline.application.account_view import AccountView, open_account
from pipeline.codec.contract.examination import load_contract
from pipeline.model.addresses import DSN_VARIABLE
from pipeline.model.errors import InputError, RunFailed
from pipeline.model.instants import EARLIEST_AT, LATEST_AT, Period, at_datetime
from pipeline.policy.timeline import BeforeFirstRow
from pipeline.store.client import Client, StoreError, engine_of
from pipeline.store.opening import opened_store, store_dsn, store_folder

Answer = TypeVar("Answer")


def now_ms() -> int:
    """The clock on the wall, by which orders are issued and statements are dated."""
    return time.time_ns() // 1_000_000


def add_store_options(parser: argparse.ArgumentParser) -> None:
    """The options by which a reading command finds its facts and its contract."""
    parser.add_argument("--data-dir", type=Path, help=f"folder of a run's store (else {DSN_VARIABLE})")
    parser.add_argument("--contract", type=Path, help="the contract to apply (else the stored one)")
    parser.add_argument("--account", default="", help="whose stored contract, where the store holds several")


@contextmanager
def opened(args: argparse.Namespace, *, to_write: bool = False) -> Iterator[Client]:
    """The store that the options name. Raises ``InputError`` for what the user can mend, ``RunFailed``."""
    with _store_at_work(), opened_store(store_dsn(args.data_dir, os.environ), to_write=to_write) as client:
        yield client


def ask_account(
    args: argparse.Namespace, question: Callable[[AccountView], Answer], *, to_write: bool = False
) -> Answer:
    """Open the store, ask about the account that the options name, close. Raises ``InputError``, ``RunFailed``.

    ``to_write`` where the question orders something: then a folder that nobody may write to is refused.
    """
    dsn = store_dsn(args.data_dir, os.environ)
    with _store_at_work(), opened_store(dsn, to_write=to_write) as client:
        contract = None if args.contract is None else load_contract(args.contract)
        try:
            return question(open_account(client, engine_of(dsn), args.account, contract))
        except BeforeFirstRow as error:
            raise InputError("the contract", str(error), "Choose a policy that covers the period") from error


@contextmanager
def _store_at_work() -> Iterator[None]:
    """A store that opened and then fails: a full disk, a server that ends."""
    try:
        yield
    except StoreError as error:
        remedy = "Check that it runs and that its disk has room, and run the command again"
        raise RunFailed("the store", f"failed: {error.line}", remedy) from error


def make_store_folder(folder: Path) -> Path:
    """The folder of an embedded store, made where it is not there. Raises ``InputError`` where that cannot be."""
    path = store_folder(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(str(folder), f"cannot be made: {error.strerror}", "Give a folder to write to") from error
    return path


def parse_period(text: str) -> Period:
    """A quarter from the command line."""
    try:
        return Period.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def parse_instant(text: str) -> int:
    """An instant from the command line: a date, or a date and time, UTC unless it says otherwise."""
    at = _instant(text)
    if not EARLIEST_AT <= at < LATEST_AT:
        raise argparse.ArgumentTypeError(f"{text!r} lies outside the years 2000 to 2100")
    return at


def parse_range_end(text: str) -> int:
    """An end of a range of time. There is no evidence outside the years 2000 to 2100, so any other year is as good."""
    return min(max(_instant(text), EARLIEST_AT), LATEST_AT)


def _instant(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no date or time such as 2022-05-03T09:10:00Z") from error
    return at_datetime(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def add_range_options(parser: argparse.ArgumentParser) -> None:
    """The options of a range of time; without them it is all time."""
    parser.add_argument("--from", dest="from_at", type=parse_range_end, default=EARLIEST_AT, metavar="WHEN", help="UTC")
    parser.add_argument("--until", dest="until_at", type=parse_range_end, default=LATEST_AT, metavar="WHEN", help="UTC")


def check_range(args: argparse.Namespace) -> None:
    """Raises ``InputError`` for a range without an instant in it."""
    if args.from_at is not None and args.until_at is not None and args.from_at >= args.until_at:
        raise InputError("--until", "is not after --from", "Give a later --until")
