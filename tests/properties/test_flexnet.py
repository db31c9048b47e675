"""Laws of the FlexNet reader: a log reads as what happened, however it was rotated; nothing is lost or raised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.codec.flexnet import FlexnetLog, read_flexnet
from pipeline.model.errors import InputError
from pipeline.model.instants import DAY_MS

BEGIN = datetime(2022, 5, 5, 20, 0, tzinfo=UTC)
SPAN_MS_MAX = 35 * DAY_MS


@dataclass
class Server:
    """A licence server that writes its log and remembers what happened: (opened, end, state) of every session.

    Times are seconds since ``BEGIN``. A stamp is written after every four hours, as ``lmgrd`` does every six.
    """

    lines: list[str] = field(default_factory=list)
    sessions: list[list[object]] = field(default_factory=list)
    unmatched: int = 0
    now: int = 0
    latest: int = 0
    stamped: int = 0

    def write(self, text: str, late: int = 0) -> int:
        at = self.now - late
        self.latest = max(self.latest, at)
        moment = BEGIN + timedelta(seconds=at)
        self.lines.append(f"{moment.hour:2}:{moment:%M:%S} {text}")
        return at

    def stamp(self) -> None:
        moment = BEGIN + timedelta(seconds=self.now)
        self.write(f"(lmgrd) TIMESTAMP {moment.month}/{moment.day}/{moment.year}")
        self.stamped = self.now

    def start(self) -> None:
        for session in self.sessions:
            if session[2] is None:
                session[2], session[3] = max(self.latest, int(str(session[1]))), "close"
        self.now += 60
        moment = BEGIN + timedelta(seconds=self.now)
        self.write(f"(lmgrd) FlexNet Licensing (v11) started on srv (x) ({moment:%m/%d/%Y})")
        self.now += 60

    def out(self, holder: str, late: int) -> None:
        at = self.write(f"(a) OUT: {holder}  ", late)
        self.sessions.append([holder, at, None, "beat"])

    def bring_in(self, holder: str, late: int) -> None:
        at = self.write(f"(a) IN: {holder}  (INACTIVE)", late)
        for session in self.sessions:
            if session[0] == holder and session[2] is None:
                session[2], session[3] = max(at, int(str(session[1]))), "close"
                return
        self.unmatched += 1

    def expected(self) -> list[tuple[int, int, str]]:
        begin = int(BEGIN.timestamp())
        spans = []
        for _, opened, end, state in self.sessions:
            until = max(self.latest, int(str(opened))) if end is None else int(str(end))
            spans.append(((begin + int(str(opened))) * 1000, (begin + until) * 1000, str(state)))
        return spans


HOLDERS = st.sampled_from(['"ACD" jana@ws-1', '"ACD" eva novak@ws-2', '"INV" jana@ws-1'])
WAITS = st.one_of(st.just(0), st.integers(0, 5), st.integers(0, 4 * 3600))
STEPS = st.tuples(WAITS, st.sampled_from("OOOIIIxS"), HOLDERS, st.sampled_from([0, 0, 0, 1, 3]))


@st.composite
def servers(draw: st.DrawFn) -> Server:
    server = Server()
    server.start()
    for wait, kind, holder, late in draw(st.lists(STEPS, min_size=1, max_size=60)):
        server.now += wait
        if server.now - server.stamped >= 4 * 3600:
            server.stamp()
        if kind == "O":
            server.out(holder, late)
        elif kind == "I":
            server.bring_in(holder, late)
        elif kind == "S":
            server.start()
        else:
            server.write("(lmgrd) chatter", late)
    return server


def read(*files: tuple[str, Sequence[str]]) -> FlexnetLog:
    return read_flexnet([(name, [line.encode() + b"\n" for line in lines]) for name, lines in files], account="acme")


def spans(log: FlexnetLog) -> list[tuple[int, int, str]]:
    return [
        (int(h["opened_at"]), int(h["at"]), str(h["state"])) for h in (session.heartbeat for session in log.sessions)
    ]


@given(servers())
def test_a_log_reads_as_what_happened_on_its_server(server: Server) -> None:
    log = read(("whole.log", server.lines))
    assert spans(log) == server.expected()
    assert len(log.unmatched_ins) == server.unmatched
    assert log.broken == ()
    assert len({session.heartbeat["session"] for session in log.sessions}) == len(log.sessions)


@given(servers(), st.data())
def test_overlapping_rotated_files_in_any_order_are_the_whole_log(server: Server, data: st.DataObject) -> None:
    server.now += 1
    server.stamp()
    lines = server.lines
    dated = [number for number, line in enumerate(lines) if "TIMESTAMP" in line or "started on" in line]
    shared = sorted(data.draw(st.sets(st.sampled_from(dated), max_size=4), label="dated lines two files share"))
    starts = [0, *(data.draw(st.integers(max(0, number - 6), number), label="from") for number in shared)]
    ends = [*(data.draw(st.integers(number + 1, min(len(lines), number + 6)), label="to") for number in shared)]
    pieces = [
        (f"{number}.log", lines[start:end])
        for number, (start, end) in enumerate(zip(starts, [*ends, len(lines)], strict=True))
    ]
    whole, rotated = read(("whole.log", lines)), read(*data.draw(st.permutations(pieces)))
    assert [s.heartbeat for s in rotated.sessions] == [s.heartbeat for s in whole.sessions]
    assert [u.at for u in rotated.unmatched_ins] == [u.at for u in whole.unmatched_ins]
    assert (rotated.first_at, rotated.last_at) == (whole.first_at, whole.last_at)


@given(servers(), st.integers(1, 200))
def test_the_pieces_of_a_long_session_follow_one_another_and_none_exceeds_35_days(server: Server, days: int) -> None:
    opened = len(server.sessions)
    server.out('"LONG" petr@ws-9', late=0)
    for _ in range(days * 6):
        server.now += 4 * 3600
        server.stamp()
    server.now += 7
    server.stamp()
    pieces = [s.heartbeat for s in read(("x.log", server.lines)).sessions if s.heartbeat["product"] == "LONG"]
    opened_at, last_at, _ = server.expected()[opened]
    assert (pieces[0]["opened_at"], pieces[-1]["at"]) == (opened_at, last_at)
    assert all(before["at"] == after["opened_at"] for before, after in pairwise(pieces))
    assert all(0 < int(piece["at"]) - int(piece["opened_at"]) <= SPAN_MS_MAX for piece in pieces)
    assert len({piece["session"] for piece in pieces}) == len(pieces) == -(-(last_at - opened_at) // SPAN_MS_MAX)


FRAGMENTS = st.sampled_from(
    b" 8:00:00 |25:00:00 |(a) |OUT: |IN: |DENIED: |TIMESTAMP |5/5/2022|0/0/0|started on x |(5/6/2022)|(2 licenses)"
    b'|"ACD" |jana|@|ws-1|  |\r|\n|\xff|\x00|\xef\xbb\xbf'.split(b"|")
)
NOISE = st.lists(st.one_of(FRAGMENTS, st.binary(max_size=4)), max_size=10).map(b"".join)


@given(st.lists(NOISE, max_size=12))
def test_no_bytes_whatever_are_more_than_broken_lines_or_a_refused_file(noise: list[bytes]) -> None:
    raws = [b" 8:00:00 (lmgrd) TIMESTAMP 5/5/2022", *noise]
    log = read_flexnet([("x.log", raws)], account="acme")
    assert all(raws[broken.line - 1] == broken.raw for broken in log.broken)
    with suppress(InputError):
        read_flexnet([("x.log", noise)], account="acme")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.text("ab@ ", min_size=1, max_size=4)), min_size=1, max_size=20))
def test_every_out_line_is_a_session_or_a_broken_line(outs: list[tuple[str, str]]) -> None:
    lines = [" 8:00:00 (lmgrd) TIMESTAMP 5/5/2022", *(f' 9:00:00 (a) OUT: "{f}" {rest}' for f, rest in outs)]
    log = read(("x.log", lines))
    numbers = Counter([session.line for session in log.sessions] + [broken.line for broken in log.broken])
    assert numbers == Counter(range(2, len(lines) + 1))
    assert len({session.heartbeat["session"] for session in log.sessions}) == len(log.sessions)
