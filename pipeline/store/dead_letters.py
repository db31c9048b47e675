"""Reading dead letters back: how many of what, and where they stood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from pipeline.store.client import Client

SHOWN_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter's place in its file and what is wrong with it."""

    source: str
    line: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Letters:
    """The dead letters of one log: counts by code, and the first of them in order of file and line."""

    by_code: Mapping[str, int]
    first: tuple[Letter, ...]

    @property
    def count(self) -> int:
        return sum(self.by_code.values())


def read_letters(client: Client, log: str) -> Letters:
    """The dead letters of one log, each counted once however often it was delivered."""
    counts = client.query(
        "SELECT code, count() FROM dead_letters FINAL WHERE log = {log:String} GROUP BY code ORDER BY code",
        {"log": log},
    ).result_rows
    first = client.query(
        "SELECT source, line, code, detail FROM dead_letters FINAL WHERE log = {log:String} "
        "ORDER BY source, line, `index` LIMIT {shown:UInt32}",
        {"log": log, "shown": SHOWN_MAX},
    ).result_rows
    return Letters(
        by_code={str(code): cast(int, count) for code, count in counts},
        first=tuple(
            Letter(str(source), cast(int, line), str(code), str(detail)) for source, line, code, detail in first
        ),
    )
