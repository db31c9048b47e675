"""The embedded store in tests: a folder per process, further empty stores as databases inside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.policy.catalogue import metering_catalogue
from pipeline.store.client import Client, connect
from pipeline.store.contract_versions import store_policies
from pipeline.store.migrations import migrate

_numbers = count(1)


@contextmanager
def opened_store(folder: Path) -> Iterator[Client]:
    """A migrated store in a folder. A process may have a single folder open at a time."""
    with closing(connect(f"chdb://{folder}")) as client:
        migrate(client)
        store_policies(client, metering_catalogue())
        yield client


@contextmanager
def empty_store(store: Client) -> Iterator[Client]:
    """An empty, unmigrated store beside ``store``."""
    database = f"empty_{next(_numbers)}"
    store.command(f"CREATE DATABASE {database}")
    path = urlsplit(address_of(store)).path
    with closing(connect(f"chdb://{path}?database={database}")) as client:
        yield client
    store.command(f"DROP DATABASE {database}")


def new_account(name: str = "account") -> str:
    """An account name that this process has not used yet."""
    return f"{name}-{next(_numbers)}"


def address_of(store: Client) -> str:
    uri = getattr(store, "uri", None)
    assert isinstance(uri, str)
    return uri
