"""ClickHouse behind one client: a server over HTTP (``clickhouse://``) or the engine in this process (``chdb:///path``)."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal, Protocol, cast

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from pipeline.model.addresses import DSN_VARIABLE, FolderAddress, ServerAddress, store_address
from pipeline.model.errors import StoreFault
from pipeline.store.embedded_folder import obstacle

CHECK: Final = "Check that it may be written to, that no other program uses it, and that it runs"
CHECK_SERVER: Final = "Check the address, that the server runs, and that its user may use the database"
SECRET_LENGTH_MIN: Final = 4
"""Shorter texts are not replaced in messages: they are parts of too many words."""

Parameter = str | int | Sequence[object]
Row = tuple[object, ...]


class QueryResult(Protocol):
    """What a query answers: rows of plain Python values."""

    @property
    def result_rows(self) -> Sequence[Row]:
        """The rows in the order of the query."""
        ...


class Client(Protocol):
    """The part of ``clickhouse_connect``'s client that Seatbeat uses."""

    def command(self, cmd: str, parameters: Mapping[str, Parameter] | None = None) -> object:
        """Run a statement that answers no rows."""
        ...

    def query(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> QueryResult:
        """Run a query; values go in as ``{name:Type}`` parameters only."""
        ...

    def query_arrow(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> pa.Table:
        """Run a query for many rows, as Arrow: columns in the order of the query."""
        ...

    def insert_arrow(self, table: str, arrow_table: pa.Table) -> object:
        """Insert the rows of an Arrow table."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class StoreError(StoreFault):
    """The store failed; the text is its own. ``kind`` is the name that the client library has for the error."""

    def __init__(self, text: str, kind: str) -> None:
        super().__init__(text)
        self.kind = kind


class StoreRefused(StoreError):
    """The store, or the connection to it, refused a statement. The same statement may pass later."""


class _TranslatingClient:
    """``clickhouse_connect``'s client, with errors of ours."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.uri = getattr(client, "uri", "")

    def command(self, cmd: str, parameters: Mapping[str, Parameter] | None = None) -> object:
        with _own_errors():
            return self._client.command(cmd, parameters)

    def query(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> QueryResult:
        with _own_errors():
            return self._client.query(query, parameters)

    def query_arrow(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> pa.Table:
        """The answer. Raises ``StoreRefused`` for one that broke off: Arrow's file format says where it ends."""
        try:
            with _own_errors():
                return self._client.query_arrow(query, parameters)
        except (pa.ArrowException, OSError) as error:
            raise StoreRefused(f"the answer of the store broke off: {error}", "OperationalError") from error

    def insert_arrow(self, table: str, arrow_table: pa.Table) -> object:
        with _own_errors():
            return self._client.insert_arrow(table, arrow_table)

    def close(self) -> None:
        self._client.close()


class _ServerClient(_TranslatingClient):
    """A server's client that takes no rows for an answer only if the server says so twice.

    Where a connection breaks inside an answer's headers, ``clickhouse_connect`` reports a query without rows; believed,
    that is a statement of zeros. A write needs no such care: its status comes after its effect.
    """

    def query(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> QueryResult:
        """The answer. Raises ``StoreRefused`` for one without rows whose count, which always has a row, differs.

        Rows may also have come between the two questions, as where several processes migrate a store at once: so an
        answer is asked for once more before it is refused.
        """
        result = super().query(query, parameters)
        if result.result_rows or self._counts_none(query, parameters):
            return result
        result = super().query(query, parameters)
        if not result.result_rows:
            raise StoreRefused("the answer of the store broke off before its first row", "OperationalError")
        return result

    def _counts_none(self, query: str, parameters: Mapping[str, Parameter] | None) -> bool:
        count = super().query(f"SELECT count() FROM ({query})", parameters)  # noqa: S608 -- our own query
        return list(count.result_rows) == [(0,)]


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except ClickHouseError as error:
        kind = StoreRefused if isinstance(error, DatabaseError) else StoreError
        raise kind(str(error), type(error).__name__) from error


class StoreUnreachable(Exception):
    """The store did not open: its address without secrets (the folder, if embedded), the reason, and what to do."""

    def __init__(self, place: str, reason: str, remedy: str = CHECK) -> None:
        super().__init__(f"{place} {reason}")
        self.place, self.reason, self.remedy = place, reason, remedy


def engine_of(dsn: str) -> Literal["embedded", "server"]:
    """Which engine an address names."""
    return "embedded" if dsn.startswith("chdb:") else "server"


def connect(dsn: str) -> Client:
    """Open the store. Raises ``StoreUnreachable``, and ``InputError`` for what is no address of a store."""
    address = store_address(dsn, DSN_VARIABLE)
    if isinstance(address, FolderAddress):
        return _TranslatingClient(_embedded(address))
    return _ServerClient(_server(address))


def _embedded(address: FolderAddress) -> Client:
    folder = address.folder
    if (seen := obstacle(Path(folder))) is not None:
        raise StoreUnreachable(folder, *seen)
    try:
        with _utc():
            client = clickhouse_connect.get_client(interface="chdb", path=folder, database=address.database or None)
    except ImportError as error:
        if find_spec("chdb") is None:
            remedy = "Install it with: pip install 'seatbeat[embedded]'"
            raise StoreUnreachable(folder, "needs the embedded engine, which is not installed", remedy) from error
        reason = f"needs the embedded engine, which cannot be loaded: {_root(error)}"
        raise StoreUnreachable(folder, reason, "Install it anew, for this platform: seatbeat[embedded]") from error
    except Exception as error:
        raise StoreUnreachable(folder, f"did not open: {_reason(error)}") from error
    return cast(Client, client)


@contextmanager
def _utc() -> Iterator[None]:
    """Load the engine in UTC. It refuses time zones that Python takes, such as ``CET-1CEST``, as if it were absent."""
    zone = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    try:
        yield
    finally:
        if zone is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = zone


def _server(address: ServerAddress) -> Client:
    for name in ("clickhouse_connect", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)  # they warn of what they also raise
    options: dict[str, Any] = dict(address.options)
    try:
        client = clickhouse_connect.get_client(
            interface=None if address.scheme == "clickhouse" else address.scheme,
            host=address.host,
            port=address.port,
            username=address.user,
            password=address.password or "",
            database=address.database,
            autogenerate_session_id=False,
            **options,
        )
    except Exception as error:
        reason = _reason(error)
        for secret in (address.password or "", *address.options.values()):
            if len(secret) >= SECRET_LENGTH_MIN:
                reason = reason.replace(secret, "…")
        raise StoreUnreachable(address.shown, f"did not open: {reason}", CHECK_SERVER) from error
    return cast(Client, client)


def _reason(error: BaseException) -> str:
    """Why a store did not open: what the system says, else the first line of what the library says."""
    root = _root(error)
    if isinstance(root, OSError):
        return root.strerror or str(root)
    return str(error).partition(", Stack trace")[0].partition("\n")[0]


def _root(error: BaseException) -> BaseException:
    """The error that caused all others."""
    while (cause := error.__cause__ or (None if error.__suppress_context__ else error.__context__)) is not None:
        error = cause
    return error
