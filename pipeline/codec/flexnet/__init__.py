"""FlexNet debug logs (``lmgrd`` and vendor daemons) read as heartbeats: pure, no clock, no network (INTERFACES).

One direction only, each step a file: ``encodings`` (bytes to text), ``log_lines`` (clock and message), ``messages`` and
``events`` (what a message says), ``dates`` (its local date), ``survey`` (whose each of several files is and when it was
written), ``stream`` (those that overlap become one), ``local_time`` (its instants), ``server_replay`` (checkouts become
sessions, numbered by ``ordinals``), ``session_heartbeats`` (sessions become heartbeats), ``reader`` (all of it),
``carrying`` and ``piece_json`` (pieces of one log in several runs), ``other_formats`` (what a refused file looks like).
Choices:

- **Time zone.** In the hour that the end of summer time repeats, a line is of the first pass unless that puts it more
  than ten minutes before what was already logged. A clock time skipped in spring counts with the offset before it.
- **Rotated files** are slices of one log: a file is joined where its beginning repeats the end of what is before it, so
  a cut between two equal lines of one second loses neither. Files that are no such slices (the daemons log apart, a
  line is missing) are interleaved by time: equal lines of equal instants in two files are one, in one file several.
  Neither way changes the order of lines within a file: a clock set back cannot put an IN before its OUT.
- **Several files** are read twice: first to see which overlap, as the lines of these alone are held in memory.
- **Servers** are told apart by the host of their start line. A file without one is of the run's only server, or of the
  only one with a daemon of the same name.
- **Names** are emitted as logged and compared after NFC and case folding. A name no heartbeat may hold (control
  characters, over 200 long, brackets) makes its line a broken one.
- **Many licences in one line** are sessions up to ten; beyond, the last one stands for the rest.
- **A session over 35 days** becomes pieces cut every 35 days from its opening, each with an id of its own.
- **An IN before its OUT** by the clock (the clock was set back) closes at the opening: a session never ends before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.codec.flexnet.flexnet_log import FlexnetLog, LoggedDenial, LoggedHeartbeat, UnmatchedIn
from pipeline.codec.flexnet.log_lines import BrokenLine
from pipeline.codec.flexnet.reader import FlexnetReader, Source

__all__ = [
    "BrokenLine", "FlexnetLog", "FlexnetReader", "LoggedDenial", "LoggedHeartbeat", "UnmatchedIn", "read_flexnet",
]  # fmt: skip


def read_flexnet(sources: Iterable[Source], *, account: str, timezone: str = "UTC") -> FlexnetLog:
    """Read debug logs whole, given as (file name, raw lines), in any order and overlapping at will.

    Raises ``InputError`` for an unknown time zone, and for a file that is no FlexNet debug log or states no date.
    """
    reader = FlexnetReader(account, timezone)
    items = list(reader.items(sources))
    summary = reader.summary()
    sessions = sorted((item for item in items if isinstance(item, LoggedHeartbeat)), key=lambda item: item.order)
    broken = sorted((item for item in items if isinstance(item, BrokenLine)), key=lambda line: (line.source, line.line))
    return FlexnetLog(
        sessions=tuple(sessions),
        denials=tuple(item for item in items if isinstance(item, LoggedDenial)),
        broken=tuple(broken),
        unmatched_ins=summary.unmatched_ins,
        first_at=summary.first_at,
        last_at=summary.last_at,
        notes=summary.notes,
        pieces=summary.pieces,
    )
