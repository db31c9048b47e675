"""The seats agent, started anew on a store full of open sessions: how long until it knows them all again."""

from __future__ import annotations

import argparse
import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from pipeline.agents.seats import Seats, rebuild
from pipeline.agents.settings import Settings
from pipeline.agents.topics import USAGE, topic
from pipeline.model.contract import Contract
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.reading import ContractReading
from pipeline.store.client import connect
from tests.bench.work.say import resident_mib, say


async def work(args: argparse.Namespace) -> None:
    started_s = time.perf_counter()
    catalogue = metering_catalogue()
    seats = Seats(lambda account: ContractReading(Contract(account, "CZ", "EUR", ""), catalogue))
    settings = Settings(kafka_bootstrap=args.bootstrap, app_id=args.group, topics=args.stage)
    with ThreadPoolExecutor(max_workers=1) as executor:
        client = await asyncio.get_running_loop().run_in_executor(executor, connect, args.store)
        partitions = set(range(topic(USAGE, args.stage).partitions))
        await rebuild(seats, partitions, settings, client, executor)
        seconds = time.perf_counter() - started_s
        client.close()
    counted = sum(units for one in seats.accounts.values() for _, at, units in one.counts() if at == one.latest_at)
    say(seconds=seconds, accounts=len(seats.accounts), counted_last=counted, rss_mib=resident_mib())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.work.seats", description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--stage", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--store", required=True)
    asyncio.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
