"""Apache Kafka behind the embedded broker's command line: ``broker --listener-url=tcp://127.0.0.1:PORT …``.

Clients ask that port for the broker's own address and connect there. The test run's pool lends the broker until this
process ends. The port is opened only when the broker answers, so that waiting for the port is enough.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Final
from urllib.parse import urlsplit

from tests.support.broker.broker_lease import lease

POOL_VARIABLE: Final = "APACHE_KAFKA_POOL"
"""The address of the pool that lends brokers."""


async def forward(port: int, bootstrap: str) -> None:
    """Pass on every connection to ``port`` until cancelled."""
    host, _, behind = bootstrap.rpartition(":")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(host, int(behind))
        await asyncio.gather(_pass(reader, upstream_writer), _pass(upstream_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


def main(arguments: list[str]) -> None:
    listener = next(argument for argument in arguments if argument.startswith("--listener-url="))
    port = urlsplit(listener.partition("=")[2]).port
    assert port is not None, "the listener names a port"
    with lease(os.environ[POOL_VARIABLE]) as bootstrap:
        asyncio.run(forward(port, bootstrap))


if __name__ == "__main__":
    main(sys.argv[1:])
