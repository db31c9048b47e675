"""The texts that tables and trees share."""

from __future__ import annotations

from rich.text import Text
from rich.tree import Tree

from pipeline.codec.reports.letter_records import printable
from pipeline.model.instants import DAY_MS, HOUR_MS, MINUTE_MS, iso


def minute(at: int) -> str:
    """An instant to the minute."""
    return iso(at)[:16].replace("T", " ")


def duration(ms: int) -> str:
    """A length of time: ``2 d 03:15`` or ``03:15``."""
    days, rest = divmod(ms, DAY_MS)
    clock = f"{rest // HOUR_MS:02}:{rest // MINUTE_MS % 60:02}"
    return f"{days} d {clock}" if days else clock


def literal(text: str) -> Text:
    """A text that came from outside, as it is: it neither styles a table nor moves the cursor."""
    return Text(printable(text))


def count_of(count: int, noun: str) -> str:
    """A number with its noun."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def and_more(branch: Tree, count: int, noun: str) -> None:
    """Say how many of a long list are not shown."""
    if count > 0:
        branch.add(f"and {count_of(count, noun)} more; --output json has them all")
