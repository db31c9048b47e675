"""The store in a folder, laid out and up to date."""

from __future__ import annotations

from pathlib import Path

from pipeline.store.client import Client, StoreError, StoreUnreachable, connect
from pipeline.store.opening import folder_dsn, lay_out


def open_folder(data_dir: Path) -> Client:
    """The store in a folder, whether there was one or not. Raises ``StoreUnreachable``, ``MigrationChanged``."""
    client = connect(folder_dsn(data_dir))
    try:
        lay_out(client)
    except BaseException as error:
        client.close()
        if isinstance(error, StoreError):
            raise StoreUnreachable(f"nothing can be laid out in {data_dir}: {error}") from error
        raise
    return client
