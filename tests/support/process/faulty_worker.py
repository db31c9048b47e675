"""``seatbeat worker meter`` with a fault: ``python -m tests.support.process.faulty_worker FAULT``.

It reads the same ``SEATBEAT_*`` variables, and ends with the same status, as the command does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError

from pipeline.agents import worker_process
from pipeline.agents.consuming import Consumer
from pipeline.agents.faust.consumer import FaustConsumer
from pipeline.agents.health.monitor import Monitor
from pipeline.cli.main import main
from pipeline.kafka.producer import Producer


def healthy(_: faust.App) -> None:
    """Nothing is wrong."""


def blocked(_: faust.App) -> None:
    """The event loop runs nothing any more."""
    time.sleep(3600)


def refused(_: faust.App) -> None:
    """The broker refuses every commit."""

    async def commit(*_: object) -> None:
        raise CommitFailedError("refused")

    AIOKafkaConsumer.commit = commit


def ended(app: faust.App) -> None:
    """The consumer's thread ends without reporting it."""
    thread: Any = vars(app.consumer)["_thread"]
    thread.thread_loop.call_soon_threadsafe(thread._stopped.set)


def stuck(app: faust.App) -> None:
    """As ``ended``, while the event loop runs nothing any more."""
    ended(app)
    blocked(app)


FAULTS: Final[Mapping[str, Callable[[faust.App], None]]] = {
    fault.__name__: fault for fault in (healthy, blocked, refused, ended, stuck)
}


def play(fault: Callable[[faust.App], None]) -> int:
    """Run the worker; the fault comes once it has started."""
    watch = Monitor.watch

    async def faulty(self: Monitor, bootstrap: str, consumers: Mapping[str, Consumer], ping: Any) -> None:
        print("started", flush=True)
        meter = consumers["meter"]
        assert isinstance(meter, FaustConsumer)
        fault(meter.app)
        await watch(self, bootstrap, consumers, ping)

    Monitor.watch = faulty  # type: ignore[method-assign]  # the last thing that a worker starts

    class NotIdempotent(Producer):
        """As the embedded broker needs it."""

        def __init__(self, bootstrap: str) -> None:
            super().__init__(bootstrap, idempotent=False)

    worker_process.Producer = NotIdempotent  # type: ignore[assignment,attr-defined]  # the name that a worker builds
    name, *_ = sys.argv
    sys.argv = [name, "worker", "meter"]
    return main()


if __name__ == "__main__":
    sys.exit(play(FAULTS[sys.argv[1]]))
