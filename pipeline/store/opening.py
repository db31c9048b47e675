"""Opening a store: the one place where a command or a run gets a client whose tables are as this version needs them.

An embedded store belongs to the process that opens it and is brought up to date at once. A server's is only checked:
``seatbeat migrate`` changes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from pipeline.model.addresses import DSN_VARIABLE, FolderAddress, store_address
from pipeline.model.errors import InputError
from pipeline.model.text import CONTROL_CHARACTER
from pipeline.policy.catalogue import metering_catalogue
from pipeline.store.client import Client, StoreError, StoreUnreachable, connect
from pipeline.store.contract_versions import store_policies
from pipeline.store.embedded_folder import copied, holds_store, is_writable
from pipeline.store.migrations import migrate, pending_migrations


@contextmanager
def opened_store(dsn: str, *, to_write: bool = False) -> Iterator[Client]:
    """The store of an address, closed again at the end. Raises ``InputError`` for what the user can mend.

    An embedded store that nobody may write to is read from a copy, and refused ``to_write``.
    """
    address = store_address(dsn, DSN_VARIABLE)
    with ExitStack() as stack:
        if isinstance(address, FolderAddress):
            folder = Path(address.folder)
            if not to_write and not is_writable(folder):
                dsn = folder_dsn(stack.enter_context(copied(folder)))
            client = stack.enter_context(closing(connected(dsn, str(folder))))
            _bring_up_to_date(client, str(folder))
        else:
            client = stack.enter_context(closing(connected(dsn, DSN_VARIABLE)))
            if pending_migrations(client):
                raise InputError(address.shown, "holds no up-to-date store of Seatbeat", "Run `seatbeat migrate`")
        yield client


@contextmanager
def opened_folder(folder: Path) -> Iterator[Client]:
    """As ``open_folder``, closed again at the end. Raises ``InputError`` for what the user can mend."""
    try:
        client = open_folder(folder)
    except StoreUnreachable as error:
        raise store_error(str(folder), error) from error
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
            raise StoreUnreachable(str(folder), f"takes no tables: {error.line}") from error
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
    if {"?", "#"} & set(str(path)) or CONTROL_CHARACTER.search(str(path)):
        reason = "the embedded engine opens no path with ? or # or a control character in it"
        raise InputError(str(path), reason, "Choose another folder")
    return path


def folder_dsn(folder: Path) -> str:
    """The address of a folder's store, there or not."""
    return f"chdb://{folder}"


def store_dsn(folder: Path | None, environment: Mapping[str, str]) -> str:
    """The address of the store in a folder, else of the one that the environment names.

    Raises ``InputError`` where neither is given, for what is no address, and for a folder without a store.
    """
    if folder is not None:
        path = store_folder(folder)
        if not holds_store(path):  # opening would lay an empty store out
            raise InputError(str(folder), "holds no store", "Give the --data-dir of an earlier `seatbeat run`")
        return folder_dsn(path)
    dsn = environment.get(DSN_VARIABLE, "")
    if not dsn:
        raise InputError("--data-dir", "is not given", f"Name the folder of a run, or set {DSN_VARIABLE}")
    address = store_address(dsn, DSN_VARIABLE)
    if isinstance(address, FolderAddress) and not holds_store(Path(address.folder)):
        reason, remedy = f"{address.folder} holds no store", "Name the folder of an earlier `seatbeat run`"
        raise InputError(DSN_VARIABLE, reason, remedy)
    return dsn


def store_error(place: str, error: StoreUnreachable) -> InputError:
    """A store that did not open, as what the user can mend. ``place`` is what named it: an option or a variable."""
    reason = error.reason if place == error.place else str(error)
    return InputError(place, reason, error.remedy)


def _bring_up_to_date(client: Client, place: str) -> None:
    try:
        migrate(client)
    except StoreError as error:
        raise store_error(place, StoreUnreachable(place, f"takes no tables: {error.line}")) from error
