"""Quix Streams: a tumbling ten-minute count per machine by event time, on messages keyed so that it need not regroup.

https://quix.io/docs/quix-streams/windowing.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from quixstreams import Application  # type: ignore[import-not-found]  # in the references' environment only

from tests.bench.references.common import Clock, options


def main() -> None:
    args, clock = options(), Clock()
    counted = 0
    app = Application(
        broker_address=args.bootstrap,
        consumer_group=args.group,
        auto_offset_reset="earliest",
        state_dir=args.state,
        loglevel="WARNING",
    )

    def event_time(value: Any, headers: object, timestamp: float, timestamp_type: object) -> int:
        clock.start()
        return int(value["at"])

    def count(_: object) -> None:
        nonlocal counted
        counted += 1

    heartbeats = app.topic("heartbeats", value_deserializer="json", timestamp_extractor=event_time)
    app.dataframe(heartbeats).tumbling_window(timedelta(minutes=10)).count().current().update(count)
    app.run(count=args.heartbeats)
    clock.say(args.heartbeats, counted)


if __name__ == "__main__":
    main()
