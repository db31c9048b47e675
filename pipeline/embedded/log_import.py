"""Licence servers' logs into the pipeline: sessions as heartbeats, refusals as denials, the rest as dead letters.

Lines are read while they are sent, so that memory holds what is open. At the end this run's pieces are put together
with what other runs into the same folder left open or gave back (``codec/flexnet/carrying.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from pipeline.codec.flexnet import BrokenLine, FlexnetReader, LoggedDenial, LoggedHeartbeat
from pipeline.codec.flexnet.carrying import carried
from pipeline.codec.flexnet.flexnet_log import Counts, LogPiece, LogSummary
from pipeline.codec.json_text import json_bytes
from pipeline.codec.topics.denial_messages import Denial
from pipeline.embedded.framing import Framer, Line
from pipeline.embedded.importer import denial_message, import_broken, import_heartbeats
from pipeline.embedded.inputs import Input
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.model.text import fold


class LogImport:
    """One run's logs. Its files are looked at when it is made, so that what is no log is refused before anything runs.

    Raises ``InputError`` for a file that is no debug log, or that states no date.
    """

    def __init__(self, inputs: Iterable[Input], account: str, timezone: str) -> None:
        self._account = account
        self._reader = FlexnetReader(account, timezone)
        items = self._reader.items((file.name, file.contents()) for file in inputs)
        first = next(items, None)
        self._items = chain(() if first is None else (first,), items)

    async def send(self, producer: Producer, framer: Framer, progress: Callable[[int], None]) -> int:
        """Send all that the logs hold; returns the number of heartbeats and broken lines.

        Broken lines come last, so that a log's frames are the same ones however much of it can be read.
        """
        broken: list[BrokenLine] = []
        written = await import_heartbeats(self._messages(framer, broken), framer, producer, progress)
        await import_broken(broken, producer, self._account)
        return written + len(broken)

    def _messages(self, framer: Framer, broken: list[BrokenLine]) -> Iterator[Outgoing]:
        for item in self._items:
            if isinstance(item, LoggedHeartbeat):
                yield from framer.add(_line(item))
            elif isinstance(item, LoggedDenial):
                yield denial_message(self._denial(item))
            else:
                broken.append(item)
        yield from framer.rest()

    async def send_carried(self, producer: Producer, framer: Framer, earlier: Sequence[LogPiece]) -> int:
        """Send how sessions of this and earlier runs go on; nothing where this run was made before."""
        pieces = self.summary().pieces
        if all(piece in earlier for piece in pieces):
            return 0
        beats = framer.of_lines(map(_line, carried(self._account, [*earlier, *pieces])))
        return await import_heartbeats(beats, framer, producer, lambda _: None)

    def summary(self) -> LogSummary:
        """What the logs speak for, once they were sent."""
        return self._reader.summary()

    def _denial(self, denied: LoggedDenial) -> Denial:
        return Denial(
            self._account, denied.id, denied.kind, denied.at, denied.feature, fold(denied.user), fold(denied.host),
            denied.reason, denied.source, denied.line,
        )  # fmt: skip


def counts_sentence(counts: Counts) -> str:
    """What the lines that hold an event became: none is in none of these."""
    unmatched = f" ({counts.unmatched_returns:,} without a checkout)" if counts.unmatched_returns else ""
    return (
        f"{counts.checkouts:,} checkouts, {counts.returns:,} returns{unmatched}, {counts.denials:,} denials, "
        f"{counts.broken:,} lines that cannot be read"
    )


def _line(logged: LoggedHeartbeat) -> Line:
    return logged.source, logged.line, json_bytes(logged.heartbeat)
