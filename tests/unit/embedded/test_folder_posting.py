"""Posting into a folder's store: a store that fails leaves the result unknown, and says why."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pytest

from pipeline.application.orders.poster import NotPosted
from pipeline.embedded.folder_posting import FolderPoster
from pipeline.model.orders import Command, Void
from pipeline.store.client import Client, Parameter, QueryResult, StoreError
from tests.support.store.ordering_account import OrderingAccount


class FullDisk:
    """A client that reads from a store and can write nothing to it."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def command(self, cmd: str, parameters: Mapping[str, Parameter] | None = None) -> object:
        return self._client.command(cmd, parameters)

    def query(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> QueryResult:
        return self._client.query(query, parameters)

    def query_arrow(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> pa.Table:
        return self._client.query_arrow(query, parameters)

    def insert_arrow(self, table: str, arrow_table: pa.Table) -> object:
        raise StoreError(f"cannot write {arrow_table.num_rows} rows to {table}: the disk is full", "DatabaseError")

    def close(self) -> None:
        self._client.close()


def test_a_store_that_cannot_be_written_to_leaves_the_order_unposted_with_the_reason(store: Client) -> None:
    account = OrderingAccount(store)
    client = FullDisk(store)
    command = Command("v", account.account, "jana", account.now(), Void("clock was wrong", session="s"))
    with pytest.raises(NotPosted, match=r"the store failed: .* the disk is full"):
        FolderPoster(client, account.now).post_command(account.view(client), command)
    assert account.view().log == ()
