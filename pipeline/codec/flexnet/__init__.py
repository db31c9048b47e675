"""FlexNet debug logs (`lmgrd` and vendor daemons) read as heartbeats: pure, no clock, no network (INTERFACES).

One direction only, each step a file: ``lines`` (what one line says), ``dates`` (its local date, then its instant),
``stream`` (rotated files of one server become one stream), ``replay`` (checkouts become sessions). Choices made here:

- **Dates.** A start line or TIMESTAMP dates itself. Any other line follows the latest stamp: a clock more than 12 hours
  behind is the next day; less is disorder. A clock so far ahead that the line would be at most an hour late on the day
  before (23:59:58 after 0:00:05) is a late line of that day, unless the server had not started by then; any other clock
  ahead is the same day. Lines before a file's first date are dated backwards by the mirrored rule; where that puts
  one after the start line it precedes, the server was down for an unknown time: it and all before it have no date.
- **Time zone.** In the hour that the end of summer time repeats, a line is of the first pass unless that puts it more
  than ten minutes before what was already logged. A clock time skipped in spring counts with the offset before it.
- **Rotated files** are slices of one log: a file is joined where its beginning repeats the end of what is before it, so
  a cut between two equal lines of one second loses neither. Files that are no such slices (the daemons log apart, a
  line is missing) are interleaved by time: equal lines of equal instants in two files are one, in one file several.
  Neither way changes the order of lines within a file: a clock set back cannot put an IN before its OUT.
- **Text** is UTF-8, else Windows-1252 (Latin-1 without its control characters). Names are emitted as logged and
  compared after NFC and case folding. A name no heartbeat may hold (control characters, over 200 long) makes its line
  a broken one.
- **A session over 35 days** becomes pieces cut every 35 days from its opening: each opens where the one before ends and
  has an id of its own; all but the last are ``beat``, so the slot of a cut stays counted. The cuts never move when the
  log grows; what a last piece of under ten minutes adds beyond that slot is not recorded.
- **An IN before its OUT** by the clock (the clock was set back) closes at the opening: a session never ends before it.
- **A vendor daemon's own start** (``Server started on``, without a date) closes nothing: a start line states its date.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.codec.flexnet.dates import LocalTime, Stamped, stamp_lines
from pipeline.codec.flexnet.flexnet_log import FlexnetLog, LoggedDenial, LoggedHeartbeat, UnmatchedIn
from pipeline.codec.flexnet.log_lines import BrokenLine, read_lines
from pipeline.codec.flexnet.session_replay import Replay
from pipeline.codec.flexnet.stream import merge
from pipeline.model.errors import InputError

__all__ = ["BrokenLine", "FlexnetLog", "LoggedDenial", "LoggedHeartbeat", "UnmatchedIn", "read_flexnet"]


def read_flexnet(sources: Iterable[tuple[str, Iterable[bytes]]], *, account: str, timezone: str = "UTC") -> FlexnetLog:
    """Read the debug logs of one server, given as (file name, raw lines), in any order and overlapping at will.

    Raises ``InputError`` for an unknown time zone, and for a file that is no FlexNet debug log or states no date.
    """
    local_time = LocalTime(timezone)
    files: list[list[Stamped]] = []
    broken: list[BrokenLine] = []
    for source, raws in sources:
        lines, unreadable = read_lines(source, raws)
        stamped, undated = stamp_lines(source, lines)
        files.append(stamped)
        broken += unreadable + undated
    if not files:
        raise InputError("FlexNet logs", "no file was given", "Name at least one debug log")
    stream = merge(files)
    replay = Replay(account, local_time, stream[0].stamp)
    for line in stream:
        replay.add(line)
    return replay.log(broken)
