"""ClickHouse behind one client: a server over HTTP (``clickhouse://``) or the engine in this process (``chdb:///path``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Literal, Protocol, cast
from urllib.parse import urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

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

    def insert_arrow(self, table: str, arrow_table: pa.Table) -> object:
        """Insert the rows of an Arrow table."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...


class StoreError(Exception):
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
    """The store did not open: the address, the reason, and what to do."""


def engine_of(dsn: str) -> Literal["embedded", "server"]:
    """Which engine an address names."""
    return "embedded" if urlsplit(dsn).scheme == "chdb" else "server"


def connect(dsn: str) -> Client:
    """Open the store. Raises ``StoreUnreachable``."""
    try:
        if engine_of(dsn) == "embedded":
            return _TranslatingClient(cast(Client, clickhouse_connect.get_client(dsn=dsn)))
        return _ServerClient(cast(Client, clickhouse_connect.get_client(dsn=dsn, autogenerate_session_id=False)))
    except ImportError as error:
        raise StoreUnreachable(
            "the embedded engine is not installed. Install it with: pip install 'seatbeat[embedded]'"
        ) from error
    except Exception as error:
        place = dsn if engine_of(dsn) == "embedded" else urlsplit(dsn).hostname
        raise StoreUnreachable(f"{place} did not open: {error}") from error
