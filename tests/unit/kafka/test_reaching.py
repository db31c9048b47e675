"""Why no broker answers: a reason for each address, and nothing else in the log."""

from __future__ import annotations

import asyncio
import socket

import pytest

from pipeline.kafka.reaching import why_unreachable


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def test_each_address_has_its_reason_and_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    first, second = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    reason = asyncio.run(why_unreachable(f"{first},{second}"))
    assert reason == f"{first} did not answer: Connection refused; {second} did not answer: Connection refused"
    assert caplog.records == []


class HangsUp(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


def test_a_server_of_another_kind_is_told_from_one_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> tuple[str | None, str]:
        async with await asyncio.get_running_loop().create_server(HangsUp, "127.0.0.1", 0) as server:
            address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            return await why_unreachable(address), address

    reason, address = asyncio.run(ask())
    assert reason == f"{address} answers, but not as a Kafka broker does"
    assert caplog.records == []
