"""Stock Faust, an agent that only decodes.  https://faust-streaming.github.io/faust/userguide/agents.html"""

from __future__ import annotations

import asyncio

from faust.types import StreamT

from tests.bench.references import faust_app
from tests.bench.references.common import Clock, options


async def main() -> None:
    args, clock, finished = options(), Clock(), asyncio.Event()
    app = faust_app.build(args)
    heartbeats = app.topic("heartbeats", value_serializer="json", key_type=bytes, key_serializer="raw")
    seen = 0

    @app.agent(heartbeats)
    async def decode(stream: StreamT[dict[str, object]]) -> None:
        nonlocal seen
        async for heartbeat in stream:
            clock.start()
            seen += "machine" in heartbeat
            if seen == args.heartbeats:
                finished.set()

    await faust_app.run(app, finished, lambda: clock.say(seen, seen))


if __name__ == "__main__":
    asyncio.run(main())
