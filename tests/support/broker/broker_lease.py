"""Leases a broker from the test run's pool: the lease lasts as long as the connection to the pool.

A module of its own with few imports, because a process that imports it starts for every order on the command line.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lease(pool: str) -> Iterator[str]:
    """The bootstrap address of an empty broker; ``pool`` is the address of ``BrokerPool``, ``HOST:PORT``."""
    host, _, port = pool.rpartition(":")
    with socket.create_connection((host, int(port))) as connection, connection.makefile("r") as answer:
        bootstrap = answer.readline().strip()
        if not bootstrap:
            raise ConnectionError("the pool has ended")
        yield bootstrap
