"""Dead letters read back: how many of each code, their place in the log, their content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, cast

from pipeline.codec.reports.letter_records import ListedLetter
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.letter_ids import LetterId
from pipeline.store.client import Client, Parameter

SHOWN_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter's place in its file, and its error."""

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
        """How many there are of all codes."""
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


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which dead letters: those received in ``[from_at, until_at)``. ``None`` matches all, ``''`` the empty field."""

    code: str | None = None
    account: str | None = None
    source: str | None = None
    from_at: int | None = None
    until_at: int | None = None


_FILTERS: Final = {
    "code": "code = {code:String}",
    "account": "account = {account:String}",
    "source": "source = {source:String}",
    "from_at": "toUnixTimestamp64Milli(received_at) >= {from_at:Int64}",
    "until_at": "toUnixTimestamp64Milli(received_at) < {until_at:Int64}",
}

_PLACE: Final = "log, topic, partition, offset, `index`"
_CONTENT: Final = (
    f"SELECT {_PLACE}, account, code, field, detail, member, hex(raw), toUnixTimestamp64Milli(received_at), "  # noqa: S608 -- constants
    "source, line FROM dead_letters FINAL"
)


def count_letters(client: Client, wanted: LetterFilter) -> dict[str, int]:
    """How many dead letters there are of each code."""
    where, parameters = _where(wanted)
    rows = client.query(
        f"SELECT code, count() FROM dead_letters FINAL {where} GROUP BY code ORDER BY code",  # noqa: S608 -- constants
        parameters,
    ).result_rows
    return {str(code): cast(int, count) for code, count in rows}


def list_letters(client: Client, wanted: LetterFilter, limit: int) -> list[ListedLetter]:
    """The first dead letters as they were received, without their content."""
    where, parameters = _where(wanted)
    rows = client.query(
        f"SELECT {_PLACE}, account, code, field, detail, toUnixTimestamp64Milli(received_at), source, line "  # noqa: S608 -- constants
        f"FROM dead_letters FINAL {where} ORDER BY received_at, {_PLACE} LIMIT {{limit:UInt32}}",
        {**parameters, "limit": limit},
    ).result_rows
    listed = cast(list[tuple[str, str, int, int, int, str, str, str, str, int, str, int]], rows)
    return [ListedLetter(LetterId(*row[:5]), *row[5:]) for row in listed]


def bytes_of_letters(client: Client, wanted: LetterFilter) -> int:
    """The bytes of their content, so that nobody reads more than fits in memory."""
    where, parameters = _where(wanted)
    size = "sum(length(ifNull(member, '')) + length(raw))"
    return cast(int, client.query(f"SELECT {size} FROM dead_letters FINAL {where}", parameters).result_rows[0][0])  # noqa: S608 -- constants


def find_letters(client: Client, wanted: LetterFilter) -> list[DeadLetter]:
    """The dead letters with their content, in order of place."""
    where, parameters = _where(wanted)
    rows = client.query(f"{_CONTENT} {where} ORDER BY {_PLACE}", parameters).result_rows
    return [_letter(row) for row in rows]


def find_letter(client: Client, place: LetterId) -> DeadLetter | None:
    """The dead letter at a place, ``None`` where there is none."""
    rows = client.query(
        f"{_CONTENT} WHERE log = {{log:String}} AND topic = {{topic:String}} AND partition = {{partition:UInt32}} "
        "AND offset = {offset:UInt64} AND `index` = {index:UInt32} ORDER BY received_at DESC LIMIT 1",
        asdict(place),
    ).result_rows
    return _letter(rows[0]) if rows else None


def metered_in(client: Client, log: str) -> int:
    """How many valid heartbeats the messages of a log held."""
    query = (
        "SELECT sum(arraySum(mapValues(heartbeats))) "
        "FROM (SELECT heartbeats FROM deliveries FINAL WHERE log = {log:String})"
    )
    return cast(int, client.query(query, {"log": log}).result_rows[0][0])


def _where(wanted: LetterFilter) -> tuple[str, dict[str, Parameter]]:
    parameters: dict[str, Parameter] = {
        name: value for name in _FILTERS if (value := getattr(wanted, name)) is not None
    }
    return f"WHERE {' AND '.join(_FILTERS[name] for name in parameters)}" if parameters else "", parameters


def _letter(row: tuple[object, ...]) -> DeadLetter:
    place, (account, code, field, detail, member, raw, received_at, source, line) = row[:5], row[5:]
    return DeadLetter(
        **asdict(LetterId(*cast(tuple[str, str, int, int, int], place))),
        account=str(account),
        code=str(code),
        field=str(field),
        detail=str(detail),
        member=None if member is None else str(member),
        raw=bytes.fromhex(str(raw)),
        received_at=cast(int, received_at),
        source=str(source),
        line=cast(int, line),
    )
