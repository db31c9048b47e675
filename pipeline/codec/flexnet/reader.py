"""Debug logs of one run: files of each server become one stream, the streams are replayed one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, count, islice
from typing import Final

from pipeline.codec.flexnet.dates import DateNote, Stamped, stamp_lines
from pipeline.codec.flexnet.encodings import decode_line
from pipeline.codec.flexnet.flexnet_log import (
    Counts,
    LoggedDenial,
    LoggedHeartbeat,
    LogSummary,
)
from pipeline.codec.flexnet.local_time import LocalTime
from pipeline.codec.flexnet.log_lines import BrokenLine, LineReader
from pipeline.codec.flexnet.other_formats import looks_like, quoted
from pipeline.codec.flexnet.server_replay import SESSIONS_PER_LINE, ServerReplay
from pipeline.codec.flexnet.stream import merge
from pipeline.codec.flexnet.survey import SurveyedFile, by_server, groups, survey
from pipeline.model.errors import InputError

LINES_LOOKED_AT: Final = 50
"""As many lines as tell what a file is."""

Source = tuple[str, Iterable[bytes]]
"""A file's name and its raw lines, which are read twice where there are several files."""
Item = LoggedHeartbeat | LoggedDenial | BrokenLine


@dataclass
class FlexnetReader:
    """Reads debug logs, given as (file name, raw lines), in any order and overlapping at will.

    ``items`` gives out what the lines come to as soon as it is certain, ``summary`` the rest once all lines were read.
    Memory holds what is open, the lines between two stated dates, and of several files those that overlap.
    """

    account: str
    timezone: str = "UTC"
    _broken: list[BrokenLine] = field(default_factory=list)
    _notes: list[DateNote | str] = field(default_factory=list)
    _replays: list[ServerReplay] = field(default_factory=list)
    _lines: LineReader = field(default_factory=LineReader)
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
            yield from replay.replay(stream)
            yield from replay.end()
        self._unreadable += len(self._broken)
        yield from self._broken
        self._broken.clear()

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
                sum(each.checkouts for each in counts),
                sum(each.returns for each in counts),
                sum(each.unmatched_returns for each in counts),
                sum(each.denials for each in counts),
                sum(each.broken for each in counts) + self._unreadable,
            ),
            unmatched_ins=tuple(chain.from_iterable(replay.unmatched for replay in self._replays)),
            notes=tuple(notes),
            pieces=tuple(replay.piece() for replay in self._replays),
        )

    def _streams(self, files: list[Source]) -> Iterator[tuple[str, Iterable[Stamped]]]:
        """A stream for each server, with the host of its start line (``''`` where no file states one)."""
        if len(files) == 1:
            yield "", self._file(*files[0], self._broken, self._notes)
            return
        surveyed = [self._survey(*file) for file in files]
        for server, of_server in by_server(surveyed).items():
            yield server, self._stream(of_server)

    def _survey(self, name: str, raws: Iterable[bytes]) -> SurveyedFile:
        if isinstance(raws, Iterator):  # it could not be read again
            raws = list(raws)
        counted = count()
        lines = self._file(name, (raw for raw, _ in zip(raws, counted, strict=False)), self._broken, self._notes)
        return survey(name, raws, counted, lines)

    def _stream(self, files: Iterable[SurveyedFile]) -> Iterator[Stamped]:
        """The lines of one server's files, each once. What was broken or noted is from the survey already."""
        are_first = True
        for group in groups(files):
            if len(group) == 1:
                yield from self._again(group[0])
            else:
                yield from merge([(file.earliest, _held(self._again(file))) for file in group], are_first=are_first)
            are_first = False

    def _again(self, file: SurveyedFile) -> Iterator[Stamped]:
        return self._file(file.name, islice(file.raws, file.raw_lines), [], [])

    def _file(
        self, name: str, raws: Iterable[bytes], broken: list[BrokenLine], notes: list[DateNote | str]
    ) -> Iterator[Stamped]:
        iterator = iter(raws)
        beginning = list(islice(iterator, LINES_LOOKED_AT))
        stretches = self._lines.stretches(name, chain(beginning, iterator), broken)
        try:
            yield from stamp_lines(name, stretches, broken, notes)
        except InputError as error:
            if "no line has the form" not in error.reason:
                raise
            raise _refusal(name, beginning, error) from error


def _held(lines: Iterable[Stamped]) -> Iterator[Stamped]:
    """Lines to be held, without the bytes that nobody will ask for."""
    for stamp, message, number, raw, source in lines:
        yield stamp, message, number, raw if isinstance(message.event, str) else b"", source


def _refusal(name: str, beginning: list[bytes], error: InputError) -> InputError:
    """Why a file is no debug log: its first line, and what it looks like."""
    texts = [decode_line(raw).rstrip("\r\n") for raw in beginning]
    first = next((text for text in texts if text.strip()), "")
    what, remedy = looks_like("\n".join(texts))
    looks = f" and looks like {what}" if what else ""
    begins = f"it begins with {quoted(first)}{looks}" if first else "it is empty"
    return InputError(name, f"{error.reason}: {begins}", remedy)
