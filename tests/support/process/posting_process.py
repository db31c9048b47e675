"""Delivers orders and contracts to an embedded store, each message N times, in a process of its own.

``python -m tests.support.process.posting_process --data-dir D --log L --times N`` reads a contract and then commands
from stdin, a JSON text per line, writes each N times in their order, and prints what the readers of the store return.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import asdict
from pathlib import Path

import orjson

from pipeline.codec.contract.examination import read_contract
from pipeline.codec.topics.command_messages import decode
from pipeline.codec.topics.message_keys import encode_key
from pipeline.embedded.pipeline import EmbeddedPipeline
from pipeline.kafka.posting import command_message, contract_message
from pipeline.kafka.producer import Outgoing
from pipeline.kafka.topics import COMMANDS
from pipeline.model.contracts import Contract
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.orders.outcomes import outcomes
from pipeline.rules.orders.voids import voids_in_force
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.contract_versions import contract_versions
from pipeline.store.order_log import read_commands


def read_back(client: Client, contract: Contract) -> dict[str, object]:
    """What the readers of the store return: rows, outcomes, voids, contract versions and dead letters."""
    reading, logged = ContractReading(contract, metering_catalogue()), read_commands(client, contract.account)
    letters = client.query("SELECT detail FROM dead_letters FINAL WHERE topic = 'commands' ORDER BY ALL").result_rows
    return {
        "rows": len(logged),
        "outcomes": [
            [outcome.logged.command.id, outcome.status, outcome.refused.code if outcome.refused else None]
            for outcome in outcomes(reading, logged)
            if outcome.status != "known"
        ],
        "voids": [asdict(void) for void in voids_in_force(read_commands(client, contract.account))],
        "versions": [
            [version.content_hash, version.applied_by, version.is_current]
            for version in contract_versions(client, contract.account)
        ],
        "letters": len(letters),
    }


async def deliver(args: argparse.Namespace, contract: Contract, body: bytes, texts: list[bytes]) -> dict[str, object]:
    """Send everything through the pipeline and drain it; a text that is not a valid command is sent unchanged."""
    async with EmbeddedPipeline(args.data_dir, args.log) as pipeline:

        async def work() -> dict[str, object]:
            for message in (contract_message(contract, body, "jana"), *map(_message, texts)):
                for _ in range(args.times):
                    await pipeline.producer.write([message])
            await pipeline.drained(lambda *_: None)
            return await pipeline.ask_store(read_back, contract)

        return await pipeline.unless_failed(work())


def _message(text: bytes) -> Outgoing:
    try:
        return command_message(decode(text))
    except ValueError:
        return Outgoing(COMMANDS, encode_key("acme"), text)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.process.posting_process", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--times", type=int, default=1)
    args = parser.parse_args()
    first, *texts = sys.stdin.buffer.read().splitlines()
    body = str(orjson.loads(first)).encode()
    sys.stdout.buffer.write(orjson.dumps(asyncio.run(deliver(args, read_contract("posted", body), body, texts))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
