"""What a FlexNet debug log comes to: sessions, refusals, and the lines that could not be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.codec.flexnet.log_lines import BrokenLine


@dataclass(frozen=True, slots=True)
class LoggedHeartbeat:
    """A session, or a piece of one, as a heartbeat (INTERFACES); ``line`` is the number of its OUT in ``source``."""

    heartbeat: dict[str, int | str]
    source: str
    line: int


@dataclass(frozen=True, slots=True)
class LoggedDenial:
    """A request the server refused. ``id`` is the same whichever overlapping files the line was read from."""

    id: str
    kind: Literal["denied", "unsupported"]
    at: int
    feature: str
    user: str
    host: str
    reason: str
    source: str
    line: int


@dataclass(frozen=True, slots=True)
class UnmatchedIn:
    """A return of ``licenses`` more than were open: their OUT is in an older file, or was never logged."""

    at: int
    feature: str
    user: str
    host: str
    licenses: int
    source: str
    line: int


@dataclass(frozen=True, slots=True)
class FlexnetLog:
    """One server's log. ``sessions`` are in order of their OUT, pieces of one in order of time, ``broken`` by source.

    The log speaks for ``[first_at, last_at]``: what it leaves open is in use until ``last_at``, its last stamp.
    """

    sessions: tuple[LoggedHeartbeat, ...]
    denials: tuple[LoggedDenial, ...]
    broken: tuple[BrokenLine, ...]
    unmatched_ins: tuple[UnmatchedIn, ...]
    first_at: int
    last_at: int
