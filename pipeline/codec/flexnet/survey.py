"""Several files before they are replayed: whose each is and which time it covers, so that few must be held at once.

Files of one server that do not touch in time follow one another and are read one by one. Those that overlap, or meet in
one second, become one stream together (``stream``), for which their lines are held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from pipeline.codec.flexnet.dates import Stamped

LICENSE_MANAGER: Final = "lmgrd"
"""Writes into every log of its server, so it says nothing of whose a file is."""


@dataclass(frozen=True, slots=True)
class SurveyedFile:
    """A file that was read once. ``server`` is the host of its first start line, ``''`` without any.

    ``first``, ``earliest`` and ``latest`` are stamps, ``stamped`` is the number of lines with one, ``raw_lines`` that
    of all lines: what was written behind them meanwhile is left for another run.
    """

    name: str
    raws: Iterable[bytes]
    raw_lines: int
    server: str
    daemons: frozenset[str]
    first: int
    earliest: int
    latest: int
    stamped: int


def survey(name: str, raws: Iterable[bytes], raw_lines: Iterator[int], lines: Iterator[Stamped]) -> SurveyedFile:
    """Read a file's lines to the end. ``raw_lines`` then counts its raw lines. Raises what reading them raises."""
    first = earliest = latest = None
    server, stamped = "", 0
    daemons: set[str] = set()
    for stamp, message, *_ in lines:
        if earliest is None or latest is None:
            first = earliest = latest = stamp
        elif stamp > latest:
            latest = stamp
        elif stamp < earliest:
            earliest = stamp
        daemons.add(message.daemon)
        stamped += 1
        if message.kind == "server_start" and not server:
            server = message.subject
    assert first is not None and earliest is not None and latest is not None  # noqa: PT018, S101 -- a line is dated
    whose = frozenset(daemons) - {LICENSE_MANAGER}
    return SurveyedFile(name, raws, next(raw_lines), server, whose, first, earliest, latest, stamped)


def by_server(files: Iterable[SurveyedFile]) -> dict[str, list[SurveyedFile]]:
    """The files of each server, by the host of its start line (``''`` where nobody can say whose they are).

    Files without a start line go to the only server, or to the only one with a daemon of theirs.
    """
    of_server: defaultdict[str, list[SurveyedFile]] = defaultdict(list)
    for file in files:
        of_server[file.server].append(file)
    servers = [server for server in of_server if server]
    left: list[SurveyedFile] = []
    for file in of_server.get("", []):
        candidates = [server for server in servers if any(file.daemons & other.daemons for other in of_server[server])]
        if len(servers) == 1 or len(candidates) == 1:
            of_server[(candidates or servers)[0]].append(file)
        else:
            left.append(file)
    return {**{server: of_server[server] for server in servers}, **({"": left} if left else {})}


def groups(files: Iterable[SurveyedFile]) -> Iterator[list[SurveyedFile]]:
    """One server's files in the order of their time; no line of a group lies before the end of the group before it."""
    ordered = sorted(files, key=lambda file: (file.first, -file.stamped, file.name))
    to_come = [*accumulate((file.earliest for file in reversed(ordered)), min)]
    group: list[SurveyedFile] = []
    latest = 0
    for file in ordered:
        earliest_to_come = to_come.pop()
        if group and earliest_to_come > latest:
            yield group
            group = []
        group.append(file)
        latest = max(latest, file.latest)
    if group:
        yield group
