"""What debug logs come to: sessions, refusals, the lines that could not be used, and what other pieces must know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pipeline.codec.flexnet.dates import DateNote
from pipeline.codec.flexnet.log_lines import BrokenLine

DenialKind = Literal["denied", "unsupported", "queued", "dequeued"]


class LoggedHeartbeat(NamedTuple):
    """A session, or a piece of one, as a heartbeat (INTERFACES); ``line`` is the number of its OUT in ``source``.

    ``order`` counts the checkouts of a log, so that sessions can be put in the order in which they were opened.
    """

    heartbeat: dict[str, int | str]
    source: str
    line: int
    order: int


@dataclass(frozen=True, slots=True)
class LoggedDenial:
    """A request the server refused or put off. ``id`` is the same whichever of overlapping files holds the line."""

    id: str
    kind: DenialKind
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


class OpenSession(NamedTuple):
    """A checkout that a log leaves open: what makes its session's id, the names as logged, and its line."""

    daemon: str
    feature: str
    user: str
    host: str
    opened_at: int
    ordinal: int
    licenses: int
    source: str
    line: int


@dataclass(frozen=True, slots=True)
class LogPiece:
    """What a server's log means for sessions that other pieces of it left open.

    ``server`` is the host of its start line, ``''`` where the piece holds none. ``returns`` are those that nothing in
    the piece was open for, up to the end of their daemon. ``ends`` says when sessions from before it are closed by the
    end of their daemon, ``'*'`` for all of them; those it does not name go on until ``last_at``.
    """

    server: str
    first_at: int
    last_at: int
    opens: tuple[OpenSession, ...]
    returns: tuple[UnmatchedIn, ...]
    ends: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """What the lines with ``OUT:``, ``IN:``, ``DENIED:`` and their kin became. No such line is in none of these."""

    checkouts: int = 0
    returns: int = 0
    unmatched_returns: int = 0
    denials: int = 0
    broken: int = 0


@dataclass(frozen=True, slots=True)
class LogSummary:
    """What is certain once all lines were read. ``[first_at, last_at]`` is what the logs speak for."""

    first_at: int
    last_at: int
    counts: Counts
    unmatched_ins: tuple[UnmatchedIn, ...]
    notes: tuple[DateNote | str, ...]
    pieces: tuple[LogPiece, ...]


@dataclass(frozen=True, slots=True)
class FlexnetLog:
    """Debug logs as a whole. ``sessions`` are in order of their OUT, a session's pieces by time, ``broken`` by source.

    What a server's log leaves open is in use until the last stamp of that server.
    """

    sessions: tuple[LoggedHeartbeat, ...]
    denials: tuple[LoggedDenial, ...]
    broken: tuple[BrokenLine, ...]
    unmatched_ins: tuple[UnmatchedIn, ...]
    first_at: int
    last_at: int
    notes: tuple[DateNote | str, ...] = ()
    pieces: tuple[LogPiece, ...] = field(default=())
