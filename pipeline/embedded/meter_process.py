"""A meter as a process of its own, for the second core: started, asked and ended by ``second_meter.py``.

Standard input, a line each: first what to meter (``Work`` as JSON), then, each time it is asked, an empty line. It is
answered on standard output by where the partitions that it wrote to end now. At the end of standard input the meter
stops. A failure is said in a line as soon as it happens.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import AsyncExitStack
from typing import Final, NamedTuple, cast

from pipeline.agents.faust.consumer import consume
from pipeline.agents.meter import meter_agent
from pipeline.codec.json_text import json_bytes, parse_json
from pipeline.embedded.embedded_settings import embedded_settings
from pipeline.embedded.failures import one_line
from pipeline.embedded.run_memory import memory_given_back, run_memory
from pipeline.embedded.shared_meter import shared
from pipeline.kafka.producer import Producer

FAILED: Final = "failed"
ENDS: Final = "ends"
_LINE_BYTES_MAX: Final = 64 * 1024


class Work(NamedTuple):
    """What to meter: the second share of the messages on a broker, as this log."""

    bootstrap: str
    log_id: str


async def meter_until_stopped() -> int:
    """Meter until standard input ends; the exit status."""
    loop = asyncio.get_running_loop()
    asked = asyncio.StreamReader(_LINE_BYTES_MAX)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin.buffer)
    failure: asyncio.Future[BaseException] = loop.create_future()

    def fail(error: BaseException) -> None:
        loop.call_soon_threadsafe(lambda: None if failure.done() else failure.set_result(error))

    first = await asked.readline()
    if not first:
        return 0
    work = Work(*cast(list[str], parse_json(first)))
    async with AsyncExitStack() as running:
        producer = Producer(work.bootstrap, idempotent=False)
        running.push_async_callback(producer.stop)
        await producer.start()
        settings = embedded_settings(work.bootstrap, work.log_id)
        agent = shared(meter_agent(settings, producer), "second")
        consumer = consume(settings, agent, fail)
        running.push_async_callback(consumer.stop)
        await consumer.start()
        await running.enter_async_context(memory_given_back())
        answering = asyncio.ensure_future(_answer(asked, producer))
        either: set[asyncio.Future[None] | asyncio.Future[BaseException]] = {answering, failure}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if failure.done():
            _say(FAILED, one_line(failure.result()))
            return 1
    return 0


async def _answer(asked: asyncio.StreamReader, producer: Producer) -> None:
    while await asked.readline():
        _say(ENDS, [[*place, end] for place, end in producer.ends.items()])


def _say(what: str, value: object) -> None:
    sys.stdout.buffer.write(json_bytes({what: value}) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Run the process to its end."""
    logging.disable(logging.CRITICAL)
    try:
        with run_memory():
            status = asyncio.run(meter_until_stopped())
    except Exception as error:  # noqa: BLE001 -- whatever it is, the run must say it
        _say(FAILED, one_line(error))
        status = 1
    sys.exit(status)
