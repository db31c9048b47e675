"""Whether a broker answers, asked before anything else connects: one reason in place of a dozen log lines."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from pipeline.kafka.settings import BOOTSTRAP_VARIABLE
from pipeline.model.addresses import Endpoint, broker_addresses

CONNECT_S_MAX: Final = 5.0


async def why_unreachable(bootstrap: str) -> str | None:
    """``None`` where one of the brokers answers, else why each of them does not."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    with _silenced():
        try:
            await client.bootstrap()
        except KafkaError:
            reasons = [await _reason(broker) for broker in broker_addresses(bootstrap, BOOTSTRAP_VARIABLE)]
            return "; ".join(reasons)
        finally:
            await client.close()
    return None


async def _reason(broker: Endpoint) -> str:
    try:
        async with asyncio.timeout(CONNECT_S_MAX):
            _, writer = await asyncio.open_connection(broker.host, broker.port)
    except TimeoutError:
        return f"{broker.text} did not answer within {CONNECT_S_MAX:.0f} s"
    except OSError as error:
        return f"{broker.text} did not answer: {system_reason(error)}"
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return f"{broker.text} answers, but not as a Kafka broker does"


def system_reason(error: OSError) -> str:
    """What the system says, without the address that asyncio adds."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)


@contextmanager
def _silenced() -> Iterator[None]:
    """The client library logs each try; what it says is in the one reason."""
    logger = logging.getLogger("aiokafka")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
