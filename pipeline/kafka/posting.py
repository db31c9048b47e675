"""Posting: a command or a contract written durably, and awaited until the store shows it.

A command is identified by its id and a contract by its content, so posting again after any failure is harmless.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from pipeline.codec.topics import command_messages
from pipeline.codec.topics.message_keys import encode_key
from pipeline.kafka.headers import APPLIED_BY_HEADER
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.topics import COMMANDS, CONTRACTS
from pipeline.model.contracts import Contract
from pipeline.model.orders import Command

LOOK_S: Final = 0.1


class NotShown(Exception):
    """The message is in the log for good, but the store did not show it in time."""


def command_message(command: Command) -> Outgoing:
    """The message of a command."""
    return Outgoing(COMMANDS, encode_key(command.account), command_messages.encode(command))


def contract_message(contract: Contract, body: bytes, applied_by: str) -> Outgoing:
    """The message that applies a contract: the file byte for byte, under its account and content hash."""
    key = encode_key(contract.account, contract.content_hash)
    return Outgoing(CONTRACTS, key, body, ((APPLIED_BY_HEADER, applied_by.encode("utf-8")),))


async def post(
    bootstrap: str, message: Outgoing, is_shown: Callable[[int, int], Awaitable[bool]], within_s: float
) -> None:
    """Write a message and wait until the store shows the message at its partition and offset.

    Raises ``KafkaError`` if the broker does not accept it, and ``NotShown``.
    """
    producer = Producer(bootstrap)
    try:
        await producer.start()
        await producer.write([message])
        ((place, end),) = producer.ends.items()
    finally:
        await producer.stop()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while not await is_shown(place.partition, end - 1):
        if loop.time() > deadline:
            raise NotShown(f"{message.topic}/{place.partition}/{end - 1}")
        await asyncio.sleep(LOOK_S)
