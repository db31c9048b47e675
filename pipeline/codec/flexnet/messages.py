"""What lines say behind their clocks. The same messages make up most of a log: each is read once and then looked up.

A message is looked up by the bytes behind the clock, before anything is decoded. Measured on 200,000 events of an
office (``tests/bench/license_logs.py``), CPU time a line from the file to heartbeats: 14.4 µs when each line was
decoded and matched, 7.2 µs since messages are looked up and what was read is passed on as plain tuples.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final, Literal, NamedTuple, cast

from pipeline.codec.flexnet.events import Event, read_event
from pipeline.model.instants import DAY_MS, EARLIEST_AT, LATEST_AT, at_midnight
from pipeline.model.text import fold

_STATED: Final = re.compile(r"TIMESTAMP\b\s*(.*)", re.DOTALL)
_START: Final = re.compile(r"(?!\(@).*\bstarted on\s+(\S+).*\(([\d/]+)\)", re.ASCII | re.DOTALL)
_DAEMON_STARTED: Final = re.compile(r"Server started on\s", re.IGNORECASE)
_EXITED: Final = re.compile(r"(\S+) exited with status\b")
_RESTARTED: Final = re.compile(r"restarted (\S+)", re.IGNORECASE)
_DATE: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)

_MOVES: Final = {"OUT": 1, "IN": -1}
_USUAL: Final = re.compile(
    r" \(([!-'*-~]+)\) ((OUT|IN): \"([!#-~]{1,200})\" ([!-'*-?A-Z\\_-~]{1,200})@([!-'*-?A-Z\\_-~]{1,200}))[ \t]*"
)
"""The form of nearly all lines behind their clocks: see ``events``, where it is read without a second look as well."""

LineKind = Literal["message", "server_start", "daemon_start", "daemon_end"]


make: Final = tuple.__new__
"""Makes a ``NamedTuple`` of its fields in a third of the time: their own constructors are written in Python."""


class Holder(NamedTuple):
    """Who holds what where: the names as logged, ``key`` and ``place`` as compared (user and host are folded).

    ``place`` is user and host, ``key`` these and the feature, each part behind its length.
    """

    feature: str
    user: str
    host: str
    key: str
    place: str


NOBODY: Final = Holder("", "", "", "", "")


class LoggedMessage(NamedTuple):
    """What a line says, whenever it was written: ``text`` is trimmed.

    ``day`` (days since 1970-01-01) is set where it states its own date. ``subject`` is the server that starts
    (``server_start``), or the daemon that starts or ends. ``event`` is as ``read_event`` gives it, ``holder`` whose it
    is (``NOBODY`` without an event). ``move`` is 1 where the message says no more than that a licence was taken, -1
    where one was given back, else 0.
    """

    daemon: str
    text: str
    kind: LineKind
    subject: str
    day: int | None
    event: Event | str | None
    holder: Holder
    move: int


class UnreadableDate(NamedTuple):
    """A message that states a date which is none."""

    stated: str


def read_message(daemon: str, text: str) -> LoggedMessage | UnreadableDate:
    """Read what stands behind a clock."""
    kind, subject, stated = _kind_of(daemon, text)
    day = None
    if stated is not None:
        day = _day(stated)
        if day is None:
            return UnreadableDate(stated)
    event = read_event(text)
    if not isinstance(event, Event):
        return LoggedMessage(daemon, text, kind, subject, day, event, NOBODY, 0)
    move = 0
    if kind == "message" and event.licenses == 1 and not event.is_shutdown:
        move = _MOVES.get(event.kind, 0)
    return LoggedMessage(
        daemon, text, kind, subject, day, event, holder_of(event.feature, event.user, event.host), move
    )


def read_usual_message(behind_clock: bytes) -> LoggedMessage | None:
    """The same from the bytes behind a clock where they have the usual form; ``None`` where they have another."""
    match = _USUAL.fullmatch(behind_clock.decode("latin-1"))
    if match is None:
        return None
    daemon, text, word, feature, user, host = match.groups()
    event = make(Event, (word, feature, user, host, 1, 0, "", False))
    return make(LoggedMessage, (daemon, text, "message", "", None, event, holder_of(feature, user, host), _MOVES[word]))


def holder_of(feature: str, user: str, host: str) -> Holder:
    """Who holds what where, from the names as logged."""
    folded_user, folded_host = fold(user), fold(host)
    place = f"{len(folded_user)}:{folded_user}{len(folded_host)}:{folded_host}"
    return make(Holder, (feature, user, host, f"{len(feature)}:{feature}{place}", place))


def _kind_of(daemon: str, message: str) -> tuple[LineKind, str, str | None]:
    """What a message is, whom it is about, and the date that it states of itself, as written."""
    kind, subject, stated = "message", "", None
    if message.startswith("TIMESTAMP"):
        match = _STATED.fullmatch(message)
        stated = match[1] if match else None
    elif "started on" in message:
        if match := _START.fullmatch(message):
            kind, subject, stated = "server_start", match[1], match[2]
        elif _DAEMON_STARTED.match(message):
            kind, subject = "daemon_start", daemon
    elif message.startswith("EXITING DUE TO SIGNAL"):
        kind, subject = "daemon_end", daemon
    elif "exited with status" in message and (match := _EXITED.match(message)):
        kind, subject = "daemon_end", match[1]
    elif message[:9].lower() == "restarted" and (match := _RESTARTED.match(message)):
        kind, subject = "daemon_start", match[1]
    return cast(LineKind, kind), subject, stated


def _day(stated: str) -> int | None:
    match = _DATE.fullmatch(stated.strip())
    return None if match is None else calendar_day_number(int(match[3]), int(match[1]), int(match[2]))


def calendar_day_number(year: int, month: int, day: int) -> int | None:
    """Days since 1970-01-01; ``None`` where there is no such day, or it lies outside the years of evidence."""
    try:
        midnight_at = at_midnight(date(year, month, day))
    except ValueError:
        return None
    return midnight_at // DAY_MS if EARLIEST_AT <= midnight_at < LATEST_AT else None
