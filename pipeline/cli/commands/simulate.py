"""``seatbeat simulate``: a seeded fleet of any size as a heartbeat file, with faults on request (INTERFACES)."""

from __future__ import annotations

import argparse
import gzip
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

import zstandard

from pipeline.cli.command_list import COMMANDS
from pipeline.cli.option_parser import plain_text, whole_number
from pipeline.cli.whole_files import not_written, whole_file
from pipeline.fleet.clients import FleetPlan, FleetProduct, demo_plan, fleet
from pipeline.model.errors import InputError
from pipeline.policy.durations import parse_duration

Write = Callable[[bytes], object]

_LINES_PER_WRITE: Final = 1_000
_KNOBS: Final = (
    "account", "country", "period", "products", "machines", "seed", "beat_ms", "frames", "duplicates", "disorder",
    "late", "broken", "oversize", "trials",
)  # fmt: skip
_SET_BY_THE_DEMO: Final = ("country", "period", "products", "machines", "trials")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command. A knob that is not given keeps the plan's own default."""
    parser = subparsers.add_parser(
        "simulate",
        help=COMMANDS["simulate"],
        description="Writes the heartbeats of a seeded fleet of licence clients, a line each. The same knobs give the "
        "same bytes. Faults never change what is metered: duplicates are exact copies, what is held back still "
        "arrives, broken and oversize lines are extra.",
    )
    parser.set_defaults(run=run)
    add = parser.add_argument
    add("--demo", action="store_true", help="the sample fleet, with its deadline, stray click and forgotten session")
    add("--account", help="default studio")
    add("--country", help="default CZ")
    add("--period", help="the calendar quarter, default 2022Q2")
    add("--products", type=_products, metavar="CODE[=QUANTITY],…", help="QUANTITY caps the machines in use on one day")
    add("--machines", type=int, help="default 60")
    add("--seed", type=int, help="default 1")
    add("--beat", type=_duration, dest="beat_ms", metavar="15m", help="how often a client beats, 1m to 12h")
    add("--frames", type=int, metavar="N", help="pack N heartbeats into a line; 0, the default, is a heartbeat a line")
    add("--duplicates", type=float, metavar="SHARE", help="share of heartbeats sent twice, such as 0.05")
    add("--disorder", type=float, metavar="SHARE", help="share held back by up to an hour")
    add("--late", type=float, metavar="SHARE", help="share held back by one to six days")
    add("--broken", type=float, metavar="SHARE", help="share followed by an invalid line, each broken in another way")
    add("--oversize", type=int, metavar="N", help="N lines beyond 10,000 heartbeats or 1 MiB")
    add("--trials", type=float, metavar="SHARE", help="share of working days with a trial of another product")
    add("--output", type=Path, metavar="FILE", help="also .gz and .zst; standard output by default")


def run(args: argparse.Namespace) -> int:
    """Write the fleet, then one line about it on stderr. Raises ``InputError`` where the knobs make no fleet."""
    tally: Counter[str] = Counter()
    try:
        lines = fleet(_plan(args), tally)
        with _opened(args.output) as write:
            while chunk := list(islice(lines, _LINES_PER_WRITE)):
                write(b"\n".join(chunk) + b"\n")
    except InputError as error:
        raise _of_option(error) from error
    print(_summary(tally), file=sys.stderr)
    return 0


def _plan(args: argparse.Namespace) -> FleetPlan:
    given = {knob: getattr(args, knob) for knob in _KNOBS if getattr(args, knob) is not None}
    if not args.demo:
        return replace(FleetPlan(), **given)
    contradicting = [f"--{knob}" for knob in _SET_BY_THE_DEMO if knob in given]
    if contradicting:
        reason = f"the sample fleet has its own {', '.join(contradicting)}"
        raise InputError("--demo", reason, f"Leave out --demo or {', '.join(contradicting)}")
    return replace(demo_plan(), **given)


def _of_option(error: InputError) -> InputError:
    """What is wrong with a plan, at the option that set it."""
    knob = error.place.partition("[")[0]
    if knob not in {*_KNOBS, "beat"}:
        return error
    return InputError(f"--{error.place}", error.reason, error.remedy)


@contextmanager
def _opened(path: Path | None) -> Iterator[Write]:
    """Where lines go: standard output, or a file compressed as its suffix says. No time of writing is kept in it."""
    if path is None or str(path) == "-":
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    try:
        with whole_file(path) as file:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as compressed:
                    yield compressed.write
            elif path.suffix == ".zst":
                with zstandard.ZstdCompressor().stream_writer(file) as frame:
                    yield frame.write
            else:
                yield file.write
    except OSError as error:
        raise not_written(str(path), error) from error


def _summary(tally: Counter[str]) -> str:
    """``74,550 heartbeats in 3,319 sessions; duplicates 12; broken 2 (null 1, truncated 1)``."""
    parts = [f"{tally['heartbeats']:,} heartbeats in {tally['sessions']:,} sessions"]
    parts.extend(f"{kind} {tally[kind]:,}" for kind in ("duplicates", "displaced", "late") if tally[kind])
    for kind in ("broken", "oversize"):
        ways = {name.removeprefix(f"{kind} "): count for name, count in tally.items() if name.startswith(f"{kind} ")}
        if ways:
            each = ", ".join(f"{way} {count:,}" for way, count in ways.items())
            parts.append(f"{kind} {sum(ways.values()):,} ({each})")
    return "; ".join(parts)


def _products(text: str) -> tuple[FleetProduct, ...]:
    return tuple(_product(part.strip()) for part in plain_text(text).split(","))


def _product(text: str) -> FleetProduct:
    code, equals, quantity = text.partition("=")
    if equals and not quantity.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a product such as MSTN, or MSTN=20 with a quantity")
    return FleetProduct(code, whole_number(quantity) if equals else None)


def _duration(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
