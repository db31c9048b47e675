"""A dead letter's id as text, to be copied and read again: ``log/topic/partition/offset/index``.

Topics and numbers hold no ``/``. In a log's name ASCII letters, digits and ``._:-`` stand as they are; all other
characters, ``/``, ``%`` and blanks included, and a ``-`` in front, are percent-encoded UTF-8. So each place has exactly
one text, each text names at most one place, and a command line takes it without quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from pipeline.codec.topics.dead_letter_messages import DeadLetter

_FORM: Final = re.compile(
    r"(?P<log>[A-Za-z0-9%._:][A-Za-z0-9%._:-]*)/(?P<topic>[A-Za-z0-9._-]{1,249})/(?P<numbers>(?:0|[1-9][0-9]*)(?:/(?:0|[1-9][0-9]*)){2})"
)
_PARTITION_MAX: Final = 2**31 - 1
_OFFSET_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, order=True)
class LetterId:
    """Where a dead letter stood. Sorts in the order of its log."""

    log: str
    topic: str
    partition: int
    offset: int
    index: int


def id_of(letter: DeadLetter) -> LetterId:
    """The place that is a dead letter's identity."""
    return LetterId(letter.log, letter.topic, letter.partition, letter.offset, letter.index)


def write_id(place: LetterId) -> str:
    """A place as text."""
    log = quote(place.log, safe=":").replace("~", "%7E")
    if log.startswith("-"):
        log = f"%2D{log[1:]}"
    return f"{log}/{place.topic}/{place.partition}/{place.offset}/{place.index}"


def read_id(text: str) -> LetterId:
    """The place that a text names. Raises ``ValueError`` for every text that ``write_id`` does not write."""
    match = _FORM.fullmatch(text)
    if match is not None:
        partition, offset, index = map(int, match["numbers"].split("/"))
        place = LetterId(unquote(match["log"], errors="replace"), match["topic"], partition, offset, index)
        if write_id(place) == text and max(partition, index) <= _PARTITION_MAX and offset <= _OFFSET_MAX:
            return place
    raise ValueError(f"{text!r} is not a dead letter's id such as main/heartbeats/3/1204/17")
