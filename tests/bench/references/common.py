"""Shared by the references: options, a clock that starts with the first message, and the answer."""

from __future__ import annotations

import argparse
import json
import sys
import time


def options() -> argparse.Namespace:
    """Options: the broker, the group, and the number of heartbeats."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--stage", default="")
    parser.add_argument("--group", required=True)
    parser.add_argument("--heartbeats", type=int, required=True)
    parser.add_argument("--state", default=".")
    parser.add_argument("--partitions", type=int, default=12)
    return parser.parse_args()


class Clock:
    """Measures from the first message to the last."""

    def __init__(self) -> None:
        self.started_s = 0.0
        self._cpu_s = time.process_time()

    def start(self) -> None:
        """Call it with every message or batch: only the first call starts the clock."""
        if not self.started_s:
            self.started_s = time.perf_counter()
            self._cpu_s = time.process_time()

    def say(self, heartbeats: int, counted: int) -> None:
        """Print the time taken. ``counted`` shows that the work was done."""
        seconds, cpu_s = time.perf_counter() - self.started_s, time.process_time() - self._cpu_s
        answer = {"heartbeats": heartbeats, "seconds": seconds, "cpu_seconds": cpu_s, "counted": counted}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
