"""The store in a folder, laid out and up to date."""

from __future__ import annotations

from pathlib import Path

from pipeline.policy.catalogue import metering_catalogue
from pipeline.store.client import Client, StoreError, StoreUnreachable, connect
from pipeline.store.contract_versions import store_policies
from pipeline.store.migrations import migrate


def open_folder(data_dir: Path) -> Client:
    """The store in a folder, whether there was one or not. Raises ``StoreUnreachable``, ``MigrationChanged``."""
    client = connect(f"chdb://{data_dir}")
    try:
        migrate(client)
        store_policies(client, metering_catalogue())
    except BaseException as error:
        client.close()
        if isinstance(error, StoreError):
            raise StoreUnreachable(f"nothing can be laid out in {data_dir}: {error}") from error
        raise
    return client
