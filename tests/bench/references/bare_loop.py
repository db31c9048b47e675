"""The minimum: aiokafka's ``getmany``, ``orjson.loads``, and a count per machine and ten minutes.

Reads single heartbeats or frames. Nothing is validated, stored or acknowledged by hand.
https://aiokafka.readthedocs.io/en/stable/consumer.html
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

import orjson
from aiokafka import AIOKafkaConsumer

from tests.bench.references.common import Clock, options


async def main() -> None:
    args, clock = options(), Clock()
    counts: defaultdict[tuple[str, int], int] = defaultdict(int)
    consumer = AIOKafkaConsumer(
        "heartbeats", bootstrap_servers=args.bootstrap, group_id=args.group, auto_offset_reset="earliest"
    )
    await consumer.start()
    seen = 0
    while seen < args.heartbeats:
        for records in (await consumer.getmany(timeout_ms=1_000)).values():
            clock.start()
            for record in records:
                value = orjson.loads(record.value)
                if type(value) is list:
                    for heartbeat in value:
                        counts[heartbeat["machine"], heartbeat["at"] // 600_000] += 1
                    seen += len(value)
                else:
                    counts[value["machine"], value["at"] // 600_000] += 1
                    seen += 1
    clock.say(seen, sum(counts.values()))
    await consumer.stop()


if __name__ == "__main__":
    asyncio.run(main())
