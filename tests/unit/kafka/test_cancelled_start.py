"""Whoever reads or writes at the broker closes what it opened, when it is cancelled while it still connects."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from pipeline.agents.faust.continuity import Continuity
from pipeline.kafka.group_lag import GroupProgress
from pipeline.kafka.producer import Producer
from pipeline.kafka.ranges import Ranges
from pipeline.kafka.whole_log import WholeLog

Connect = Callable[[str], Awaitable[object]]

READERS: Final[dict[str, Connect]] = {
    "continuity": lambda bootstrap: Continuity(bootstrap, "group").look_into("topic", 0, 1),
    "group_lag": lambda bootstrap: GroupProgress(bootstrap, "group", {"topic": 1}).start(),
    "producer": lambda bootstrap: Producer(bootstrap).start(),
    "ranges": lambda bootstrap: Ranges(bootstrap, "group").__aenter__(),
    "whole_log": lambda bootstrap: WholeLog(bootstrap, "topic", lambda _: None).__aenter__(),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_cancelled_start_leaves_no_connection_open(reader: str) -> None:
    assert asyncio.run(left_open(READERS[reader])) == []


async def left_open(connect: Connect) -> list[str]:
    """What is reported as not closed after a start was cancelled, with a broker that never answers."""
    reports: list[str] = []

    def report(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        reports.append(context["message"])

    asyncio.get_running_loop().set_exception_handler(report)
    connected, closed = asyncio.Event(), asyncio.Event()

    async def never_answer(requests: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await requests.read()
        writer.close()
        closed.set()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        start = asyncio.ensure_future(connect(f"{host}:{port}"))
        await connected.wait()
        start.cancel()
        await asyncio.wait({start})
        assert start.cancelled()
        del start
        gc.collect()
        await closed.wait()
    return reports
