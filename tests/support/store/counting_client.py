"""A store's client that counts the queries by the tables that they name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from pipeline.store.client import Client, Parameter, QueryResult

_TABLE: Final = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)")


class CountingClient:
    """Counts each query once per table that it reads; views count as tables."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.questions: Counter[str] = Counter()
        self.inserts: Counter[str] = Counter()

    def command(self, cmd: str, parameters: Mapping[str, Parameter] | None = None) -> object:
        return self._client.command(cmd, parameters)

    def query(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> QueryResult:
        self.questions.update(set(_TABLE.findall(query)))
        return self._client.query(query, parameters)

    def query_arrow(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> pa.Table:
        self.questions.update(set(_TABLE.findall(query)))
        return self._client.query_arrow(query, parameters)

    def insert_arrow(self, table: str, arrow_table: pa.Table) -> object:
        self.inserts[table] += 1
        return self._client.insert_arrow(table, arrow_table)

    def close(self) -> None:
        """The store stays open: whoever opened it closes it."""
