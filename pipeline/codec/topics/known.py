"""The hot half of metering: heartbeats that differ from one judged before in their times only are told by their bytes.

What a client says of itself (account, product, machine, user, session ...) is the same a minute later, and its encoder
writes it in the same bytes. So the bytes around the times of a heartbeat that was found right are remembered with the
session they name. A frame is cut at its times; where the bytes on both sides are known ones nothing is parsed but the
times, all of a frame at once, which are judged and folded as columns (``rules/evidence/columns.py``). A heartbeat that
is not known is parsed by itself and left to the plain half (``heartbeats.judge``, ``UsageFold.add``), as is one that
comes without a frame; properties hold the halves equal.

Why a cut is right: if ``{a}``, ``{b}`` ... are JSON objects each by itself, then ``[{a},{b},...]`` is the array of just
these. Known bytes with five other times between them are such an object, any other piece is parsed, and where one
cannot be, the frame as a whole goes the plain way.

Measured (CPU time on one core, frames of 250 heartbeats of different sessions, best of six):
``orjson.loads`` alone 1.3 us a heartbeat; all of this, with what a checkpoint every 368 frames makes of it, 1.8 us:
cutting 0.35, times 0.3, looking up 0.4, judging 0.15, folding 0.35. A loop over heartbeats took 3.3 us, in another run.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple, cast

import numpy as np
import orjson
from numpy.typing import NDArray

from pipeline.codec.json_text import Json
from pipeline.codec.topics.heartbeats import FRAME_BYTES_MAX, FRAME_HEARTBEATS_MAX
from pipeline.model.evidence import Heartbeat, SessionKey
from pipeline.model.instants import DAY_MS, EARLIEST_AT, LATEST_AT
from pipeline.rules.evidence.columns import ColumnFold, Times
from pipeline.rules.evidence.merge import UsageFold
from pipeline.rules.evidence.span_limit import SPAN_MS_MAX

KNOWN_SESSIONS_MAX: Final = 65_536
"""About a kilobyte each."""
STRANGERS_MAX: Final = 8 * KNOWN_SESSIONS_MAX
"""When so many were not known, all are forgotten and learned anew. A larger fleet is then known in part, not never."""
ENDINGS_MAX: Final = 256
TEXT_BYTES_MAX: Final = 4_096

_TIMES: Final = ("opened_at", "since", "at", "resumed_at", "active_at")
_INSTEAD: Final = {"since": "at", "resumed_at": "opened_at", "active_at": "at"}
"""What a time is where it is not told (RULES 1)."""
_FIRST: Final = b',"opened_at":'
_NEXT: Final = b"},{"
_DIGITS: Final = 13
"""Of a time: all between 2001 and 2100 have so many."""
_EVERY_DIGIT: Final = bytes(ord("0") if chr(code) in "0123456789" else code for code in range(256))
_POWERS: Final = 10 ** np.arange(_DIGITS - 1, -1, -1, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Which times a heartbeat tells, one after the other: their text with every digit a 0, and one with known times.

    ``low`` and ``span``: from which byte on, and how many more, each place of the text may hold. ``digits``: the places
    of digits; ``positions``: for each of the five times its position among ``names``.
    """

    names: tuple[str, ...]
    zeros: bytes
    sample: bytes
    low: NDArray[np.uint8]
    span: NDArray[np.uint8]
    digits: NDArray[np.int64]
    positions: tuple[int, ...]

    @classmethod
    def of(cls, *names: str) -> _Layout:
        sample = b"".join(b'"%b":%d,' % (name.encode(), _sample_time(name)) for name in names)[len(_FIRST) - 1 : -1]
        zeros = sample.translate(_EVERY_DIGIT)
        low = np.frombuffer(zeros, np.uint8).copy()
        digits = np.flatnonzero(low == ord("0"))
        span = np.zeros_like(low)
        span[digits] = 9
        leading = digits[::_DIGITS]
        low[leading], span[leading] = ord("1"), 8  # JSON knows no number with a leading zero
        positions = tuple(names.index(name if name in names else _INSTEAD[name]) for name in _TIMES)
        return cls(names, zeros, sample, low, span, digits, positions)

    def times(self, pieces: list[bytes]) -> Times:
        """The five times that each piece begins with. Raises ``ValueError`` for other labels, or no numbers."""
        width = len(self.zeros)
        texts = np.frombuffer(b"".join([piece[:width] for piece in pieces]), np.uint8)
        if len(texts) != width * len(pieces):
            raise ValueError
        texts = texts.reshape(-1, width)
        if (texts - self.low > self.span).any():
            raise ValueError
        digits = texts.take(self.digits, axis=1).reshape(-1, _DIGITS) - ord("0")
        stamps = (digits @ _POWERS).reshape(len(pieces), -1)
        return stamps if len(self.names) == len(_TIMES) else stamps[:, self.positions]


def _sample_time(name: str) -> int:
    """Another time for each name."""
    return 1_234_567_890_120 + _TIMES.index(name)


_LAYOUTS: Final = (
    _Layout.of("opened_at", "since", "at", "resumed_at", "active_at"),
    _Layout.of("opened_at", "at", "resumed_at", "active_at"),
    _Layout.of("opened_at", "since", "at"),
    _Layout.of("opened_at", "at"),
)


@dataclass(frozen=True, slots=True)
class _Ending:
    """What follows the times, with the next heartbeat's brace; the sessions by this and what goes before their times.

    So a frame's pieces, each an ending and the next one's beginning, are looked up as they are. A session is a number.
    """

    layout: _Layout
    text: bytes
    sessions: dict[bytes, int] = field(default_factory=dict)

    def heartbeat(self, beginning: bytes, times: bytes) -> Json:
        """Parse one heartbeat by itself. Raises ``JSONDecodeError``."""
        return cast(Json, orjson.loads(b"{%b%b%b%b}" % (beginning, _FIRST, times, self.text[: -len(_NEXT)])))


_NO_ENDING: Final = _Ending(_LAYOUTS[0], b"no text")


class Stranger(NamedTuple):
    """A heartbeat that was not folded: its place in the frame, what it says, and its bytes where they can be cut."""

    place: int
    member: Json
    ending: _Ending | None = None
    beginning: bytes = b""


class KnownLayouts:
    """The sessions that were heard of, by the bytes their clients send. A cache: it costs, it never means.

    What is folded of them waits here until it is drained.
    """

    def __init__(self) -> None:
        self._columns = ColumnFold()
        self._forget()

    def _forget(self) -> None:
        self._endings: dict[tuple[_Layout, bytes], _Ending] = {}
        self._named: list[tuple[SessionKey, str]] = []
        self._accounts: list[str] = []  # of the same sessions, as each heartbeat is counted by account
        self._strangers = 0
        self._words: dict[str, str] = {}

    def fold(self, value: bytes | None, received_at: int, delivered: dict[str, int]) -> list[Stranger] | None:
        """Fold the heartbeats of known sessions, counted by account; the others. ``None``: nothing could be told."""
        cut = _cut(value)
        if cut is None:
            return None
        layout, beginning, pieces = cut
        strangers: list[Stranger] = []
        try:
            times = layout.times(pieces)
            sessions = self._repeated(layout, beginning, pieces)
            if None in sessions:
                sessions, strangers = self._one_by_one(layout, beginning, pieces)
        except ValueError:
            return None
        usual = _usual(times)
        if not usual.all():
            members = cast(list[Json], orjson.loads(value or b""))
            for index in np.flatnonzero(~usual).tolist():
                if sessions[index] is not None:
                    sessions[index] = None
                    strangers.append(Stranger(index, members[index]))
            strangers.sort(key=lambda stranger: stranger.place)
        repeated = [session for session in sessions if session is not None]
        if len(repeated) < len(sessions):
            times = times[[session is not None for session in sessions]]
        if repeated:
            self._columns.add(repeated, times, received_at)
            for account, heartbeats in Counter(map(self._accounts.__getitem__, repeated)).items():
                delivered[account] = delivered.get(account, 0) + heartbeats
        return strangers

    def drain(self, usage: UsageFold) -> None:
        """Fold what was gathered into ``usage``."""
        self._columns.fold_into(usage, self._named)
        if self._strangers >= STRANGERS_MAX and len(self._named) >= KNOWN_SESSIONS_MAX:
            self._forget()

    def _repeated(self, layout: _Layout, beginning: bytes, pieces: list[bytes]) -> list[int | None]:
        """The sessions of a frame whose heartbeats all end alike; a ``None`` where one is not known, or ends else."""
        width = len(layout.zeros)
        text = pieces[-1][width:]
        session_of = self._endings.get((layout, text), _NO_ENDING).sessions.get
        sessions = [session_of(piece[width:]) for piece in pieces]
        return [session_of(text + beginning), *sessions[:-1]]

    def _one_by_one(
        self, layout: _Layout, beginning: bytes, pieces: list[bytes]
    ) -> tuple[list[int | None], list[Stranger]]:
        """The same of any frame, and its strangers, parsed. Raises ``ValueError`` where one cannot be."""
        width = len(layout.zeros)
        sessions: list[int | None] = []
        strangers: list[Stranger] = []
        for index, piece in enumerate(pieces):
            next_at = piece.index(_NEXT, width) + len(_NEXT)
            ending = self._ending(layout, piece[width:next_at])
            session = ending.sessions.get(ending.text + beginning)
            if session is None:
                strangers.append(Stranger(index, ending.heartbeat(beginning, piece[:width]), ending, beginning))
            sessions.append(session)
            beginning = piece[next_at:]
        if beginning:
            raise ValueError
        return sessions, strangers

    def learn(self, stranger: Stranger, heartbeat: Heartbeat) -> None:
        """Remember whose bytes these are, of a beat that was judged valid. Others are too rare to be worth it."""
        ending, beginning = stranger.ending, stranger.beginning
        if ending is None or heartbeat.state != "beat" or len(beginning) + len(ending.text) > TEXT_BYTES_MAX:
            return
        self._strangers += 1
        if len(self._named) >= KNOWN_SESSIONS_MAX:
            return
        sample = ending.heartbeat(beginning, ending.layout.sample)
        stated = {name: sample[name] for name in _TIMES if name in sample} if type(sample) is dict else {}
        if stated != {name: _sample_time(name) for name in ending.layout.names}:
            return  # a time stands elsewhere, too
        word = self._words.setdefault
        key = SessionKey._make(word(text, text) for text in heartbeat[:7])
        self._ending(ending.layout, ending.text).sessions[ending.text + beginning] = len(self._named)
        self._named.append((key, word(heartbeat.version, heartbeat.version)))
        self._accounts.append(key.account)

    def _ending(self, layout: _Layout, text: bytes) -> _Ending:
        ending = self._endings.get((layout, text))
        if ending is None:
            ending = _Ending(layout, text)
            if len(self._endings) < ENDINGS_MAX:
                self._endings[layout, text] = ending
        return ending


def _cut(value: bytes | None) -> tuple[_Layout, bytes, list[bytes]] | None:
    """What goes before the first times of a frame, and its pieces: times, an ending, and the next one's beginning."""
    if value is None or len(value) > FRAME_BYTES_MAX or not (value.startswith(b"[{") and value.endswith(b"}]")):
        return None
    beginning, *pieces = (value[2:-2] + _NEXT).split(_FIRST)
    if not 0 < len(pieces) <= FRAME_HEARTBEATS_MAX:
        return None
    for layout in _LAYOUTS:
        if pieces[0][: len(layout.zeros)].translate(_EVERY_DIGIT) == layout.zeros:
            return layout, beginning, pieces
    return None


def _usual(times: Times) -> NDArray[np.bool_]:
    """Which heartbeats have times as they should be (``accept.py``), on one UTC day."""
    opened_at, since, at, resumed_at, active_at = times.T
    right = (opened_at >= EARLIEST_AT) & (opened_at <= since) & (since <= at) & (at < LATEST_AT)
    right &= at - opened_at <= SPAN_MS_MAX
    right &= (opened_at <= resumed_at) & (resumed_at <= active_at) & (active_at <= at)
    return cast(NDArray[np.bool_], right & (since // DAY_MS == at // DAY_MS))
