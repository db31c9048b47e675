"""Read a licence log: ours to sessions, or as the reference each line matched with one expression."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Iterable
from typing import Final

from pipeline.codec.flexnet import FlexnetReader
from pipeline.embedded.inputs import Contents
from tests.bench.work.say import resident_mib, say

_LINE: Final = re.compile(rb'\s*(\d+):(\d\d):(\d\d) \((\S+)\) (\w+): "([^"]+)" (.+?)@(.+?)\s*$')


def read(path: str) -> int:
    """How many sessions, denials and broken lines a log comes to."""
    return sum(1 for _ in FlexnetReader("acme").items([(path, Contents(path))]))


def match(lines: Iterable[bytes]) -> int:
    """How many lines have the form of an event."""
    return sum(_LINE.match(line) is not None for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.work.log_reading", description=__doc__)
    parser.add_argument("--log", required=True)
    parser.add_argument("--way", choices=("ours", "expression"), required=True)
    args = parser.parse_args()
    lines = sum(1 for _ in Contents(args.log))
    started_s, cpu_s = time.perf_counter(), time.process_time()
    made = read(args.log) if args.way == "ours" else match(Contents(args.log))
    say(
        lines=lines, made=made, seconds=time.perf_counter() - started_s, cpu_seconds=time.process_time() - cpu_s,
        rss_mib=resident_mib(),
    )  # fmt: skip


if __name__ == "__main__":
    main()
