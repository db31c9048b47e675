"""Dead letters chosen by id or by what they have in common, as many as are to be listed or replayed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.codec.reports.letter_records import ListedLetter
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.letter_ids import LetterId, write_id
from pipeline.model.errors import InputError
from pipeline.store.client import Client
from pipeline.store.letters import (
    LetterFilter,
    bytes_of_letters,
    count_letters,
    find_letter,
    find_letters,
    list_letters,
)

REPLAYED_MAX: Final = 100_000
REPLAYED_BYTES_MAX: Final = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LetterList:
    """How many dead letters were chosen of each code, and the first of them as they were received."""

    by_code: Mapping[str, int]
    letters: tuple[ListedLetter, ...]

    @property
    def count(self) -> int:
        """How many were chosen."""
        return sum(self.by_code.values())


def letter_list(client: Client, wanted: LetterFilter, limit: int) -> LetterList:
    """The dead letters that a filter chooses, ``limit`` of them with their place."""
    return LetterList(count_letters(client, wanted), tuple(list_letters(client, wanted, limit)))


def letter_at(client: Client, place: LetterId) -> DeadLetter:
    """The dead letter of a place. Raises ``InputError`` where none stands there."""
    letter = find_letter(client, place)
    if letter is None:
        raise InputError(
            write_id(place), "is no dead letter of this store", "`seatbeat dead-letters list` names them all"
        )
    return letter


def letters_to_replay(client: Client, ids: Iterable[LetterId], wanted: LetterFilter) -> list[DeadLetter]:
    """The dead letters of these ids; without ids those that the filter chooses.

    Raises ``InputError`` for an id that there is not, and for more than fits in memory.
    """
    places = list(dict.fromkeys(ids))
    return [letter_at(client, place) for place in places] if places else _chosen(client, wanted)


def _chosen(client: Client, wanted: LetterFilter) -> list[DeadLetter]:
    count, size = sum(count_letters(client, wanted).values()), bytes_of_letters(client, wanted)
    if count > REPLAYED_MAX or size > REPLAYED_BYTES_MAX:
        letters = f"{count:,} dead letter{'' if count == 1 else 's'}"
        raise InputError(
            "replay",
            f"{letters} of {size:,} bytes; it takes {REPLAYED_MAX:,} of {REPLAYED_BYTES_MAX:,} at most",
            "Choose fewer with --code, --account, --source, --from and --until",
        )
    return find_letters(client, wanted)
