"""ClickHouse behind one client: a server over HTTP (``clickhouse://``) or the engine in this process (``chdb:///path``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, cast
from urllib.parse import urlsplit

import clickhouse_connect
import pyarrow as pa

Parameter = str | int | Sequence[object]
Row = tuple[object, ...]


class QueryResult(Protocol):
    """What a query answers: rows of plain Python values."""

    @property
    def result_rows(self) -> Sequence[Row]: ...


class Client(Protocol):
    """The part of ``clickhouse_connect``'s client that Seatbeat uses."""

    def command(self, cmd: str, parameters: Mapping[str, Parameter] | None = None) -> object: ...
    def query(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> QueryResult: ...
    def insert_arrow(self, table: str, arrow_table: pa.Table) -> object: ...
    def close(self) -> None: ...


class StoreUnreachable(Exception):
    """The store did not open: the address, the reason, and what to do."""


def engine_of(dsn: str) -> Literal["embedded", "server"]:
    """Which engine an address names."""
    return "embedded" if urlsplit(dsn).scheme == "chdb" else "server"


def connect(dsn: str) -> Client:
    """Open the store. Raises ``StoreUnreachable``."""
    try:
        if engine_of(dsn) == "embedded":
            return cast(Client, clickhouse_connect.get_client(dsn=dsn))
        return cast(Client, clickhouse_connect.get_client(dsn=dsn, autogenerate_session_id=False))
    except ImportError as error:
        raise StoreUnreachable(
            "the embedded engine is not installed. Install it with: pip install 'seatbeat[embedded]'"
        ) from error
    except Exception as error:
        place = dsn if engine_of(dsn) == "embedded" else urlsplit(dsn).hostname
        raise StoreUnreachable(f"{place} did not open: {error}") from error
