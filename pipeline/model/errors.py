"""What can be wrong with input, as values and exceptions with a place, a reason and a remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

DeadLetterCode = Literal[
    "empty",  # no value at all, or null
    "bad_encoding",  # not UTF-8
    "bad_json",  # truncated, NaN, nested too deeply, or otherwise not JSON
    "wrong_type",  # JSON, but neither a heartbeat object nor an array of them
    "frame_too_large",  # more than 10,000 heartbeats or 1 MiB
    "unknown_version",  # `v` is not a version this program reads
    "missing_field",  # a required field is absent or null
    "invalid_type",  # a field has the wrong JSON type: a time that is a bool, float or string
    "empty_field",  # a text of length 0
    "field_too_long",  # a text of more than 200 characters
    "control_character",  # a text that holds a control character
    "unknown_state",  # `state` is not open, beat or close
    "unknown_usage",  # `usage` is not production, trial, evaluation or pre-activation
    "time_out_of_range",  # outside the years 2000 to 2100: seconds or microseconds, most likely
    "times_out_of_order",  # opened_at <= since <= at, or opened_at <= resumed_at <= active_at <= at, is broken
    "activity_incomplete",  # resumed_at without active_at, or the other way round
    "span_too_long",  # opened_at is more than 35 days before at (rules/evidence/span_limit.py)
    "unreadable_line",  # of a licence log: an event without a readable feature, user, host or number
    "unreadable_clock",  # of a licence log: an event behind a clock that cannot be read
    "unreadable_date",  # of a licence log: a stated date that is none
    "undated_line",  # of a licence log: an event before any date that could be known
]
"""Why evidence is invalid. The codes are stable: readers of dead letters depend on them."""
DEAD_LETTER_CODES: Final[tuple[str, ...]] = get_args(DeadLetterCode)
"""The same as values."""
LICENCE_LOG_CODES: Final = frozenset({"unreadable_line", "unreadable_clock", "unreadable_date", "undated_line"})
"""The codes that the reader of licence logs gives; sending such a line again as a heartbeat would tell nothing new."""


@dataclass(frozen=True, slots=True)
class InvalidHeartbeat:
    """Why a heartbeat goes to the dead-letter topic: a code, the field at fault (``''``: the whole), a sentence."""

    code: DeadLetterCode
    field: str
    detail: str


class InputError(Exception):
    """Input that cannot be used at all: place, reason and remedy. The program ends with status 2."""

    def __init__(self, place: str, reason: str, remedy: str) -> None:
        super().__init__(f"{place}: {reason}. {remedy}")
        self.place, self.reason, self.remedy = place, reason, remedy


class StoreFault(Exception):
    """The store failed, or holds what this version cannot use. The program ends with status 1."""

    @property
    def line(self) -> str:
        """The text as a line, without the stack trace that an engine puts behind it."""
        return str(self).partition(", Stack trace")[0].partition("\n")[0]


class RunFailed(Exception):
    """The input is right, and the surroundings failed: place, reason and remedy. The program ends with status 1."""

    def __init__(self, place: str, reason: str, remedy: str) -> None:
        super().__init__(f"{place}: {reason}. {remedy}")
        self.place, self.reason, self.remedy = place, reason, remedy


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a contract: 1-based line, path such as ``entitlements[0].quantity``, reason, remedy."""

    line: int
    path: str
    reason: str
    remedy: str


class InvariantBroken(Exception):
    """Stored data breaks a law that every part of Seatbeat keeps. The process must not go on."""


class ContractInvalid(Exception):
    """A contract with all its mistakes, in order of line."""

    def __init__(self, source: str, mistakes: tuple[Mistake, ...]) -> None:
        self.source, self.mistakes = source, mistakes
        super().__init__("\n".join(f"{source}:{m.line}: {m.path}: {m.reason}. {m.remedy}" for m in mistakes))
