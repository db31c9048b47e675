"""Stock Faust, a windowed table that counts.  https://faust-streaming.github.io/faust/userguide/tables.html"""

from __future__ import annotations

import asyncio

from faust.types import StreamT

from tests.bench.references import faust_app
from tests.bench.references.common import Clock, options


async def main() -> None:
    args, clock, finished = options(), Clock(), asyncio.Event()
    app = faust_app.build(args)
    heartbeats = app.topic("heartbeats", value_serializer="json", key_type=bytes, key_serializer="raw")
    counts = app.Table("counts", default=int, partitions=args.partitions).tumbling(600.0, expires=86_400.0)
    seen = 0

    @app.agent(heartbeats)
    async def count(stream: StreamT[dict[str, str]]) -> None:
        nonlocal seen
        async for heartbeat in stream:
            clock.start()
            counts[heartbeat["machine"]] += 1
            seen += 1
            if seen == args.heartbeats:
                finished.set()

    await faust_app.run(app, finished, lambda: clock.say(seen, seen))


if __name__ == "__main__":
    asyncio.run(main())
