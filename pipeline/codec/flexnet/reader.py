"""Debug logs of one run: files of each server become one stream, the streams are replayed one after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final

from pipeline.codec.flexnet.dates import DateNote, LocalTime, Stamped, stamp_lines
from pipeline.codec.flexnet.encodings import decode_line
from pipeline.codec.flexnet.flexnet_log import (
    Counts,
    LoggedDenial,
    LoggedHeartbeat,
    LogSummary,
)
from pipeline.codec.flexnet.log_lines import BrokenLine, read_lines
from pipeline.codec.flexnet.other_formats import looks_like, quoted
from pipeline.codec.flexnet.server_replay import SESSIONS_PER_LINE, ServerReplay
from pipeline.codec.flexnet.stream import merge
from pipeline.model.errors import InputError

LINES_LOOKED_AT: Final = 50
"""As many lines as tell what a file is."""

Source = tuple[str, Iterable[bytes]]
"""A file's name and its raw lines."""
Item = LoggedHeartbeat | LoggedDenial | BrokenLine


@dataclass
class FlexnetReader:
    """Reads debug logs, given as (file name, raw lines), in any order and overlapping at will.

    ``items`` gives out what the lines come to as soon as it is certain, ``summary`` the rest once all lines were read.
    Of a single file memory holds what is open; several files are held whole until they are one stream.
    """

    account: str
    timezone: str = "UTC"
    _broken: list[BrokenLine] = field(default_factory=list)
    _notes: list[DateNote | str] = field(default_factory=list)
    _replays: list[ServerReplay] = field(default_factory=list)
    _unreadable: int = 0

    def items(self, sources: Iterable[Source]) -> Iterator[Item]:
        """Heartbeats, denials and broken lines. Raises ``InputError`` for a file that is no debug log or undated."""
        local_time = LocalTime(self.timezone)
        files = list(sources)
        if not files:
            raise InputError("FlexNet logs", "no file was given", "Name at least one debug log")
        for server, stream in self._streams(files):
            replay = ServerReplay(self.account, server, local_time, self._broken)
            self._replays.append(replay)
            done: list[LoggedHeartbeat | LoggedDenial] = []
            for line in stream:
                replay.add(line, done)
                if done:
                    yield from done
                    done.clear()
                if self._broken:
                    yield from self._flush()
            yield from replay.end()
        yield from self._flush()

    def summary(self) -> LogSummary:
        """What the logs speak for and what their lines became."""
        spans = [replay.span() for replay in self._replays]
        counts = [replay.counts() for replay in self._replays]
        notes = list(self._notes)
        if any(replay.has_bundles for replay in self._replays):
            notes.append(
                f"lines of more than {SESSIONS_PER_LINE} licences are {SESSIONS_PER_LINE} sessions each: one user on "
                "one machine counts once under every policy that counts machines"
            )
        return LogSummary(
            first_at=min(first for first, _ in spans),
            last_at=max(last for _, last in spans),
            counts=Counts(
                sum(count.checkouts for count in counts),
                sum(count.returns for count in counts),
                sum(count.unmatched_returns for count in counts),
                sum(count.denials for count in counts),
                self._unreadable,
            ),
            unmatched_ins=tuple(chain.from_iterable(replay.unmatched for replay in self._replays)),
            notes=tuple(notes),
            pieces=tuple(replay.piece() for replay in self._replays),
        )

    def _flush(self) -> Iterator[BrokenLine]:
        self._unreadable += len(self._broken)
        yield from self._broken
        self._broken.clear()

    def _streams(self, files: list[Source]) -> Iterator[tuple[str, Iterable[Stamped]]]:
        """A stream for each server, with the host of its start line (``''`` where no file states one)."""
        if len(files) == 1:
            yield "", self._file(*files[0])
            return
        by_server: defaultdict[str, list[list[Stamped]]] = defaultdict(list)
        for name, raws in files:
            lines = list(self._file(name, raws))
            by_server[
                next((stamped.line.subject for stamped in lines if stamped.line.kind == "server_start"), "")
            ].append(lines)
        yield from ((server, merge(of_server)) for server, of_server in _with_nameless(by_server).items())

    def _file(self, name: str, raws: Iterable[bytes]) -> Iterator[Stamped]:
        iterator = iter(raws)
        beginning = list(islice(iterator, LINES_LOOKED_AT))
        lines = read_lines(name, chain(beginning, iterator), self._broken)
        try:
            yield from stamp_lines(name, lines, self._broken, self._notes)
        except InputError as error:
            if "no line has the form" not in error.reason:
                raise
            raise _refusal(name, beginning, error) from error


def _with_nameless(by_server: dict[str, list[list[Stamped]]]) -> dict[str, list[list[Stamped]]]:
    """Files without a start line go to the only server, or to the only one with a daemon of theirs."""
    servers = [server for server in by_server if server]
    left: list[list[Stamped]] = []
    for lines in by_server.get("", []):
        daemons = {stamped.line.daemon for stamped in lines} - {"lmgrd"}
        candidates = [server for server in servers if daemons & _daemons(by_server[server])]
        if len(servers) == 1 or len(candidates) == 1:
            by_server[(candidates or servers)[0]].append(lines)
        else:
            left.append(lines)
    return {**{server: by_server[server] for server in servers}, **({"": left} if left else {})}


def _daemons(files: Iterable[Iterable[Stamped]]) -> set[str]:
    return {stamped.line.daemon for lines in files for stamped in lines} - {"lmgrd"}


def _refusal(name: str, beginning: list[bytes], error: InputError) -> InputError:
    """Why a file is no debug log: its first line, and what it looks like."""
    texts = [decode_line(raw).rstrip("\r\n") for raw in beginning]
    first = next((text for text in texts if text.strip()), "")
    what, remedy = looks_like("\n".join(texts))
    looks = f" and looks like {what}" if what else ""
    begins = f"it begins with {quoted(first)}{looks}" if first else "it is empty"
    return InputError(name, f"{error.reason}: {begins}", remedy)
