"""Clients that send on a schedule, whether or not anybody keeps up: says when each frame was due, and where it lies."""

from __future__ import annotations

import argparse
import asyncio
import time

from aiokafka import AIOKafkaProducer

from pipeline.kafka.topics import HEARTBEATS
from tests.bench.fleet import LargeFleet
from tests.bench.work.loading import quick_lz4
from tests.bench.work.say import say


async def send(args: argparse.Namespace) -> None:
    fleet = LargeFleet(args.accounts, args.machines, args.frame_members)
    frames = list(fleet.frames(int(args.rate * args.seconds), start=args.start))
    producer = AIOKafkaProducer(
        bootstrap_servers=args.bootstrap, compression_type="lz4", acks="all", max_request_size=4 * 1024 * 1024
    )
    await producer.start()
    waiting = []
    started_s = time.perf_counter()
    for number, (_, frame) in enumerate(frames):
        due_s = started_s + number * fleet.frame_members / args.rate
        if (pause_s := due_s - time.perf_counter()) > 0:
            await asyncio.sleep(pause_s)
        sent = await producer.send(HEARTBEATS, frame, partition=number % args.partitions)
        waiting.append((due_s, sent))
    for due_s, sent in waiting:
        place = await sent
        say(due_s=due_s, partition=place.partition, offset=place.offset)
    await producer.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.work.sender", description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--accounts", type=int, required=True)
    parser.add_argument("--machines", type=int, required=True)
    parser.add_argument("--frame-members", type=int, required=True)
    parser.add_argument("--start", type=int, default=0)
    with quick_lz4():
        asyncio.run(send(parser.parse_args()))


if __name__ == "__main__":
    main()
