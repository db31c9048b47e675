"""A broker of the run's pool, asked for over a connection that is held for as long as the broker is needed.

It stands alone because the process that asks starts once for every order of the command line: it loads nothing else.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lease(pool: str) -> Iterator[str]:
    """The bootstrap address of an empty broker; ``pool`` is the address of ``BrokerPool``, ``HOST:PORT``."""
    host, _, port = pool.rpartition(":")
    with socket.create_connection((host, int(port))) as connection, connection.makefile("r") as told:
        bootstrap = told.readline().strip()
        if not bootstrap:
            raise ConnectionError("the pool has ended")
        yield bootstrap
