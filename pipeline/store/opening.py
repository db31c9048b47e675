"""Opening a store: the one place where a command or a run gets a client whose tables are as this version needs them.

An embedded store belongs to the process that opens it and is brought up to date at once. A server's is only checked:
``seatbeat migrate`` changes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from pipeline.model.errors import InputError
from pipeline.policy.catalogue import metering_catalogue
from pipeline.store.client import Client, StoreError, StoreUnreachable, connect, engine_of
from pipeline.store.contract_versions import store_policies
from pipeline.store.migrations import migrate, pending_migrations

DSN_VARIABLE: Final = "SEATBEAT_CLICKHOUSE_DSN"


@contextmanager
def opened_store(dsn: str) -> Iterator[Client]:
    """The store of an address, closed again at the end. Raises ``InputError`` for what the user can mend."""
    client = connected(dsn, "the store")
    try:
        if engine_of(dsn) == "embedded":
            migrate(client)
        elif pending_migrations(client):
            raise InputError(dsn.rpartition("@")[2], "holds no up-to-date store of Seatbeat", "Run `seatbeat migrate`")
        yield client
    finally:
        client.close()


@contextmanager
def opened_folder(folder: Path) -> Iterator[Client]:
    """As ``open_folder``, closed again at the end. Raises ``InputError`` for what the user can mend."""
    try:
        client = open_folder(folder)
    except StoreUnreachable as error:
        raise store_error("the store", error) from error
    with closing(client):
        yield client


def open_folder(folder: Path) -> Client:
    """The store in a folder, laid out there if it holds none. Raises ``StoreUnreachable``, ``MigrationChanged``."""
    client = connect(folder_dsn(folder))
    try:
        lay_out(client)
    except BaseException as error:
        client.close()
        if isinstance(error, StoreError):
            raise StoreUnreachable(f"nothing can be laid out in {folder}: {error}") from error
        raise
    return client


def connected(dsn: str, place: str) -> Client:
    """A client of a store as it is, up to date or not. Raises ``InputError`` at ``place`` where it does not open."""
    try:
        return connect(dsn)
    except StoreUnreachable as error:
        raise store_error(place, error) from error


def lay_out(client: Client) -> tuple[str, ...]:
    """Bring a store up to date, with the built-in policies for its views. The migrations that were applied, by name.

    Raises ``MigrationChanged``.
    """
    applied = migrate(client)
    store_policies(client, metering_catalogue())
    return applied


def store_folder(folder: Path) -> Path:
    """The full path of a store's folder. Raises ``InputError`` where the engine would read another path out of it."""
    path = folder.resolve()
    if {"?", "#"} & set(str(path)):
        raise InputError(str(path), "the embedded engine opens no path with ? or # in it", "Choose another folder")
    return path


def folder_dsn(folder: Path) -> str:
    """The address of a folder's store, there or not."""
    return f"chdb://{folder}"


def store_dsn(folder: Path | None, environment: Mapping[str, str]) -> str:
    """The address of the store in a folder, else of the server that the environment names.

    Raises ``InputError`` where neither is given, or the folder holds no store.
    """
    if folder is not None:
        path = store_folder(folder)
        if not holds_store(path):  # opening would lay an empty store out
            raise InputError(str(folder), "holds no store", "Give the --data-dir of an earlier `seatbeat run`")
        return folder_dsn(path)
    dsn = environment.get(DSN_VARIABLE, "")
    if not dsn:
        raise InputError("--data-dir", "is not given", f"Name the folder of a run, or set {DSN_VARIABLE}")
    return dsn


def holds_store(folder: Path) -> bool:
    """Whether a folder holds an embedded store."""
    return (folder / "metadata").is_dir()


def store_error(place: str, error: StoreUnreachable) -> InputError:
    """A store that did not open, as what the user can mend; the engine's stack trace left out."""
    reason = str(error).partition(", Stack trace")[0].partition("\n")[0]
    return InputError(place, reason, "Check that it may be written to, that no other program uses it, and that it runs")
