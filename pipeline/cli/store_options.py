"""What reading commands share: which store, which contract, which period."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pipeline.codec.contract.examination import load_contract
from pipeline.model.contracts import Contract
from pipeline.model.errors import InputError
from pipeline.model.instants import Period, at_datetime
from pipeline.policy.catalogue import metering_catalogue
from pipeline.policy.timeline import BeforeFirstRow
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client, StoreUnreachable, connect, engine_of
from pipeline.store.contract_versions import stored_contract
from pipeline.store.migrations import migrate, pending_migrations

Answer = TypeVar("Answer")
DSN_VARIABLE = "SEATBEAT_CLICKHOUSE_DSN"


def now_ms() -> int:
    """The clock on the wall, by which orders are issued and statements are dated."""
    return time.time_ns() // 1_000_000


def add_store_options(parser: argparse.ArgumentParser) -> None:
    """The options by which a reading command finds its facts and its contract."""
    parser.add_argument("--data-dir", type=Path, help=f"folder of a run's store (else {DSN_VARIABLE})")
    parser.add_argument("--contract", type=Path, help="the contract to apply (else the stored one)")
    parser.add_argument("--account", default="", help="whose stored contract, where the store holds several")


def store_dsn(args: argparse.Namespace) -> str:
    """The address of the store. Raises ``InputError`` where none is given or the folder holds none."""
    if args.data_dir is not None:
        folder = _store_folder(args.data_dir)
        if not (folder / "metadata").is_dir():  # opening would lay an empty store out
            raise InputError(str(args.data_dir), "holds no store", "Give the --data-dir of an earlier `seatbeat run`")
        return f"chdb://{folder}"
    dsn = os.environ.get(DSN_VARIABLE, "")
    if not dsn:
        raise InputError("--data-dir", "is not given", f"Name the folder of a run, or set {DSN_VARIABLE}")
    return dsn


def ask_store(args: argparse.Namespace, question: Callable[[Client, ContractReading, str], Answer]) -> Answer:
    """Open the store, read the contract, ask, close. Raises ``InputError`` for what the user can mend."""
    with opened_store(args) as client:
        try:
            contract = _contract(client, args)
            return question(client, ContractReading(contract, metering_catalogue()), engine_of(store_dsn(args)))
        except BeforeFirstRow as error:
            raise InputError("the contract", str(error), "Choose a policy that covers the period") from error


@contextmanager
def opened_store(args: argparse.Namespace) -> Iterator[Client]:
    """The store, closed again at the end. Raises ``InputError`` for what the user can mend."""
    dsn = store_dsn(args)
    try:
        client = connect(dsn)
    except StoreUnreachable as error:
        raise store_error("the store", error) from error
    try:
        if engine_of(dsn) == "embedded":
            migrate(client)
        elif pending_migrations(client):
            raise InputError(dsn.rpartition("@")[2], "holds no up-to-date store of Seatbeat", "Run `seatbeat migrate`")
        yield client
    finally:
        client.close()


def make_store_folder(folder: Path) -> Path:
    """The folder of an embedded store, made where it is not there. Raises ``InputError`` where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(str(folder), f"cannot be made: {error.strerror}", "Give a folder to write to") from error
    return _store_folder(folder)


def store_error(place: str, error: StoreUnreachable) -> InputError:
    """A store that did not open, as what the user can mend; the engine's stack trace left out."""
    reason = str(error).partition(", Stack trace")[0].partition("\n")[0]
    return InputError(place, reason, "Check that it may be written to, that no other program uses it, and that it runs")


def parse_period(text: str) -> Period:
    """A quarter from the command line."""
    try:
        return Period.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def parse_instant(text: str) -> int:
    """An instant from the command line: a date, or a date and time, UTC unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no date or time such as 2022-05-03T09:10:00Z") from error
    return at_datetime(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _store_folder(folder: Path) -> Path:
    """The folder's full path. Raises ``InputError`` where the embedded engine would read another path out of it."""
    path = folder.resolve()
    if {"?", "#"} & set(str(path)):
        raise InputError(str(path), "the embedded engine opens no path with ? or # in it", "Choose another folder")
    return path


def _contract(client: Client, args: argparse.Namespace) -> Contract:
    if args.contract is not None:
        return load_contract(args.contract)
    contract = stored_contract(client, args.account)
    if contract is None:
        raise InputError(
            "--contract", "is not given, and the store holds no single contract", "Name a contract, or an --account"
        )
    return contract
