"""What a message says: a checkout, a return, a change of their number, or a refusal, in every form that daemons write.

Messages look like one of these, with or without quotes, and with or without the number of licences::

    OUT: "F1" ann@ws-1  (2 licenses)                          plain
    OUT: "F1" @ws-1 (2) ^^^ 1.0 ann 10.0.0.7 2989 … ^^^       verbose: the user is the second field after ^^^
    DENIED: 4 F1 to ann@ws-1                                  short
    UPGRADE: "F1" 2 -> 3 by ann@ws-1
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, cast

from pipeline.model.text import CONTROL_CHARACTER, TEXT_LENGTH_MAX

EventKind = Literal["OUT", "IN", "UPGRADE", "DENIED", "UNSUPPORTED", "QUEUED", "DEQUEUED"]
REFUSALS: Final = frozenset({"DENIED", "UNSUPPORTED", "QUEUED", "DEQUEUED"})
LICENSES_MAX: Final = 1_000_000_000
"""More licences than any server counts: beyond it the number is not a number of licences."""

_EVENT: Final = re.compile(r"(OUT|IN|UPGRADE|DENIED|UNSUPPORTED|QUEUED|DEQUEUED):\s*(.*)", re.DOTALL)
_USUAL: Final = re.compile(r"(OUT|IN): \"([!#-~]{1,200})\" ([!-'*-?A-Z\\_-~]{1,200})@([!-'*-?A-Z\\_-~]{1,200})\s*")
"""The form of nearly all lines: printable ASCII, no blanks or brackets, one licence. Read without a second look."""
_SHORT: Final = re.compile(r"(\d+)\s+(?:\"([^\"]+)\"|(\S+))\s+(?:to|by|for)\s+(.*)", re.ASCII | re.DOTALL)
_FEATURE: Final = re.compile(r"(?:\"([^\"]+)\"|([^\s\"@(]+))\s*(.*)", re.DOTALL)
_BY: Final = re.compile(r"(?:by|to|for)\s+(?=\S)")
_VENDOR_KEY: Final = re.compile(r"\([0-9A-Fa-f ]*\)\s+")
_CHANGE: Final = re.compile(r"\(?\s*(\d+)\s*(?:licenses?)?\s*\)?\s*-+>\s*\(?\s*(\d+)\s*(?:licenses?)?\s*\)?", re.ASCII)
_PLACE: Final = re.compile(r"([^@]*@.+?)(?=\s\s|\s+[\[(]|\s+\^\^\^|\s*$)(.*)", re.DOTALL)
_VERBOSE: Final = re.compile(r"@(.+?)\s*(?:\((\d+)\)\s*|(\(.*\))\s*)?\^\^\^\s+(\S+)\s+(\S+)(.*)", re.ASCII | re.DOTALL)
_LICENSES: Final = re.compile(r"\(\s*(\d+)\s+licenses?\s*\)", re.ASCII)
_GROUPS: Final = re.compile(r"(?:\s*(?:\[[^\]]*\]|\(\s*\d+\s+licenses?\s*\)))*\s*", re.ASCII)
_NOT_IN_A_NAME: Final = re.compile(r"\^\^\^|[\[\]]")


class Event(NamedTuple):
    """What one line says. ``licenses`` are taken or given back; an ``UPGRADE`` goes from ``before`` to ``licenses``.

    ``reason`` is the server's own words for a refusal; ``is_shutdown`` marks a return because the daemon ends.
    """

    kind: EventKind
    feature: str
    user: str
    host: str
    licenses: int
    before: int
    reason: str
    is_shutdown: bool


def read_event(message: str) -> Event | str | None:
    """The event a message states, the reason why it is unreadable, or ``None`` where it states none."""
    usual = _USUAL.fullmatch(message)
    if usual is not None:
        return Event(cast(EventKind, usual[1]), usual[2], usual[3], usual[4], 1, 0, "", False)
    match = _EVENT.match(message)
    if match is None:
        return None
    kind, rest = cast(EventKind, match[1]), match[2]
    before, after, rest = _change(rest) if kind == "UPGRADE" else (0, 0, rest)
    licenses, feature, rest = _feature(rest)
    if not feature:
        return f"{kind} without a readable feature"
    if kind in REFUSALS and rest.startswith("("):
        rest = _VENDOR_KEY.sub("", rest, count=1)
    place = _place(rest)
    if place is None:
        return f"{kind} without a readable user@host"
    user, host, counted, remark = place
    licenses = after if kind == "UPGRADE" else licenses or counted
    unfit = _unfit_number(kind, before, licenses) or _unfit("feature", feature)
    unfit = unfit or _unfit("user", user) or _unfit("host", host)
    words = _reason(remark) if kind in REFUSALS else ""
    return unfit or Event(kind, feature, user, host, licenses, before, words, kind == "IN" and "(SHUTDOWN)" in remark)


def _change(rest: str) -> tuple[int, int, str]:
    """The numbers before and after an upgrade (both 0 where there are none), and the rest without them."""
    change = _CHANGE.search(rest)
    if change is None:
        return 0, 0, rest
    left = f"{rest[: change.start()].rstrip()} {rest[change.end() :].lstrip()}".strip()
    return int(change[1][:12]), int(change[2][:12]), left


def _feature(rest: str) -> tuple[int, str, str]:
    """The number of licences in front (0 without), the feature (``''`` where there is none), and what follows."""
    short = _SHORT.match(rest)
    if short is not None:
        return int(short[1][:12]), short[2] or short[3], short[4]
    named = _FEATURE.match(rest)
    return (0, "", rest) if named is None else (0, named[1] or named[2], named[3])


def _place(rest: str) -> tuple[str, str, int, str] | None:
    """User, host, number of licences, and what follows; ``None`` where no user at a host can be read.

    A user may hold an @ (a mail address), a host may hold single blanks; the last @ before the host's end divides them.
    """
    if rest.startswith("@"):
        verbose = _VERBOSE.match(rest)
        if verbose is None:
            return None
        host, count, reason, _, user, _ = verbose.groups()
        return user, host, int(count[:12]) if count else 1, reason or ""
    by = _BY.match(rest)
    if by is not None and "@" in rest[by.end() :].partition(" ")[0]:
        rest = rest[by.end() :]
    match = _PLACE.match(rest)
    if match is None:
        return None
    user, _, host = match[1].rpartition("@")
    if not user.strip() or not host.strip():
        return None
    remark = match[2].strip()
    count = _LICENSES.search(remark)
    return user, host.strip(), 1 if count is None else int(count[1][:12]), remark


def _reason(remark: str) -> str:
    """The words of a refusal, without what a log puts around them."""
    groups = _GROUPS.match(remark)
    words = remark[groups.end() if groups else 0 :].partition("^^^")[0].strip()
    return words[1:-1] if words.startswith("(") and words.endswith(")") else words


def _unfit_number(kind: EventKind, before: int, licenses: int) -> str | None:
    if kind == "UPGRADE" and not before and not licenses:
        return "UPGRADE without the numbers before and after"
    least = 0 if kind == "UPGRADE" else 1
    if least <= licenses <= LICENSES_MAX and before <= LICENSES_MAX:
        return None
    return f"{max(before, licenses)} licenses: one line moves {least} to {LICENSES_MAX}"


def _unfit(name: str, value: str) -> str | None:
    """Why this text is not a name that a heartbeat may hold (INTERFACES, Heartbeat and FlexNet logs)."""
    if len(value) > TEXT_LENGTH_MAX:
        return f"the {name} is longer than {TEXT_LENGTH_MAX} characters"
    if CONTROL_CHARACTER.search(value):
        return f"the {name} holds a control character, or bytes that are neither UTF-8 nor Windows-1252"
    if name != "feature" and (value.startswith("@") or _NOT_IN_A_NAME.search(value)):
        return f"the {name} {value!r} is not a name"
    return None
