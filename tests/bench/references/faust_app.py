"""Faust with its defaults: the app of its guide, without its web server, which would need a port of its own.

https://faust-streaming.github.io/faust/userguide/
"""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Callable

import faust


def build(args: Namespace) -> faust.App:
    """An app with Faust's own settings that reads JSON from the beginning of ``heartbeats``."""
    return faust.App(
        args.group, broker=f"kafka://{args.bootstrap}", web_enabled=False, autodiscover=False, datadir=args.state,
        topic_replication_factor=1, topic_partitions=args.partitions, topic_disable_leader=True,
    )  # fmt: skip


async def run(app: faust.App, finished: asyncio.Event, tell: Callable[[], None]) -> None:
    """Run the app until it has seen all messages, and call ``tell``."""
    await app.start()
    await finished.wait()
    tell()
    await app.stop()
