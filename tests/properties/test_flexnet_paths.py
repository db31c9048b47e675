"""Fast paths of the FlexNet reader give what the plain way gives: each is held to the plain one as its oracle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.codec.flexnet import FlexnetReader
from pipeline.codec.flexnet.dates import LATE_S, DateNote, Stamped, plain_stamps_behind, stamp_lines, stamps_of_a_day
from pipeline.codec.flexnet.log_lines import BrokenLine, Line, LineReader, UndatedLines
from pipeline.codec.flexnet.messages import LoggedMessage, UnreadableDate, read_message, read_usual_message
from pipeline.codec.flexnet.stream import merge
from pipeline.codec.flexnet.survey import groups, survey

CLOCKS = st.sampled_from([b" 8:00:00", b"08:00:01", b"23:59:59", b"24:00:00", b"8:00:00", b"118:00:00", b" 8:00:0"])
TAILS = st.sampled_from(
    [
        b' (vd) OUT: "F1" ann@ws-1',
        b' (vd) OUT: "F1" ann@ws-1  ',
        b' (vd) OUT: "F1" ann@ws-1\t\r\n',
        b' (vd) OUT: "F1" eva novak@ws-1',
        b' (vd) OUT: "F1" b\xc3\xb6b@ws-1',
        b' (vd) OUT: "F1" b\xf6b@ws-1',
        b' (vd) IN: "F1" ann@ws-1  (SHUTDOWN)',
        b' (vd) OUT: "F1" ann@ws-1\0',
        b' (vd)\x1cOUT: "F1" ann@ws-1',
        b' (v\x1cd) OUT: "F1" ann@ws-1',
        b'  (vd)  OUT:  "F1"  ann@ws-1',
        b" (lmgrd) TIMESTAMP 5/3/2022",
        b" (lmgrd) TIMESTAMP 13/45/2022",
        b" (lmgrd) FlexNet Licensing (v11) started on srv1 (linux) (5/3/2022)",
        b' 2022-05-04 9:00:00 (vd) OUT: "F1" ann@ws-1',
        b' 9:00:00 (vd) OUT: "F1" ann@ws-1',
        b" chatter",
    ]
)
RAWS = st.lists(st.builds(lambda clock, tail: clock + tail, CLOCKS, TAILS), max_size=30)


def lines_of(stretches: Sequence[UndatedLines]) -> list[Line]:
    """The lines of a file in order."""
    lines: list[Line] = []
    for stretch in stretches:
        lines += map(Line, stretch.clocks, stretch.messages, stretch.numbers, stretch.raws)
        lines += [stretch.dated] if stretch.dated is not None else []
    return lines


@given(RAWS)
def test_a_line_reads_the_same_whatever_was_read_before_it(raws: list[bytes]) -> None:
    broken: list[BrokenLine] = []
    lines = lines_of([*LineReader().stretches("x", raws, broken)])
    read = [LineReader().read_plainly("x", number, raw) for number, raw in enumerate(raws, 1)]
    assert lines == [line for line in read if isinstance(line, Line)]
    assert broken == [line for line in read if isinstance(line, BrokenLine)]


NAMES = st.text(st.characters(min_codepoint=9, max_codepoint=126), min_size=1, max_size=6)


@given(st.sampled_from(["OUT", "IN"]), NAMES, NAMES, NAMES, st.sampled_from(["", "  ", " \t", "\n", "  (2 licenses)"]))
@example("OUT", "F1", "ann", "ws-1", "  ")
@example("OUT", "F1", "by ann", "ws-1", "")
def test_the_usual_form_is_read_as_any_other(word: str, feature: str, user: str, host: str, rest: str) -> None:
    text = f'{word}: "{feature}" {user}@{host}{rest}'
    usual = read_usual_message(f" (vd) {text}".encode())
    plain = LineReader().read_plainly("x", 1, f" 8:00:00 (vd) {text}".encode())
    assert usual is None or (isinstance(plain, Line) and usual == plain.message)


DAY_CLOCKS = st.lists(st.one_of(st.integers(0, 86_399), st.integers(30_000, 30_010)), min_size=2, max_size=12)


def stated(clock: int, day: int) -> Line:
    text = f"TIMESTAMP {datetime.fromtimestamp(day * 86_400, UTC):%m/%d/%Y}"
    message = read_message("lmgrd", text)
    assert not isinstance(message, UnreadableDate)
    return Line(clock, message, 0, b"")


def said(text: str) -> LoggedMessage:
    message = read_message("vd", text)
    assert not isinstance(message, UnreadableDate)
    return message


@given(DAY_CLOCKS, st.booleans(), st.integers(0, 2), st.booleans())
@example([0, 86_400 - LATE_S, 86_400 - LATE_S], False, 0, True)
@example([0, 1, 86_400 - LATE_S], False, 0, True)
def test_lines_of_a_day_are_stamped_as_by_the_rule_for_any_days(
    clocks: list[int], is_sorted: bool, days: int, is_bounded: bool
) -> None:
    first, *between, last = sorted(clocks) if is_sorted else clocks
    event = said('OUT: "F1" ann@ws-1')
    stretch = UndatedLines(between, [event] * len(between), [*range(1, len(between) + 1)], [b""] * len(between))
    anchor, stretch.dated = stated(first, 19_115), stated(last, 19_115 + days) if is_bounded else None
    fast = stamps_of_a_day(anchor, stretch)
    notes: list[DateNote | str] = []
    if fast:
        assert fast == plain_stamps_behind("x", anchor, stretch, 0, notes)
        assert notes == []


WORDS = st.sampled_from(["x", "y", "z"])
LINES = st.lists(st.tuples(st.integers(-2, 3), WORDS), max_size=8)
"""How much later (2 is an hour, 1 a second) and what is said."""
FILES = st.lists(st.tuples(st.integers(0, 6), st.lists(WORDS, max_size=2), LINES), min_size=2, max_size=5)


@given(FILES)
@example([(0, [], []), (5, [], [(0, "y"), (0, "z")]), (5, ["x"], [(0, "y")])])
@example([(0, [], [(2, "z"), (2, "y")]), (2, ["x"], [(0, "y")])])
@example([(0, [], [(2, "z"), (2, "y"), (2, "y")]), (2, [], [(0, "y")]), (3, [], [(-2, "x"), (-2, "z")])])
def test_files_read_by_groups_are_the_files_read_whole(
    files: list[tuple[int, list[str], list[tuple[int, str]]]],
) -> None:
    """The stream of a server does not depend on which of its files were held together."""
    begin = datetime(2022, 5, 5, 8, 0, tzinfo=UTC)
    sources = []
    for number, (hour, before, lines) in enumerate(files):
        now = begin + timedelta(hours=hour)
        texts = [f"{now:%H:%M:%S} (vd) {word}" for word in before]
        texts.append(f"{now:%H:%M:%S} (lmgrd) TIMESTAMP {now:%m/%d/%Y}")
        for later, word in lines:
            now += timedelta(hours=later // 2, seconds=later % 2)
            texts.append(f"{now:%H:%M:%S} (vd) {word}")
        sources.append((f"{number}.log", [text.encode() for text in texts]))
    surveyed = [survey(name, raws, iter([len(raws)]), iter(stamped(name, raws))) for name, raws in sources]
    whole = merge_whole([stamped(file.name, [*file.raws]) for group in groups(surveyed) for file in group])
    read = [*FlexnetReader("acme")._stream(surveyed)]
    assert [line[:3] + line[4:] for line in read] == [line[:3] + line[4:] for line in whole]


def merge_whole(files: Sequence[list[Stamped]]) -> list[Stamped]:
    """The same without letting go of any line before the last file was joined."""
    return [*merge([(0, lines) for lines in files], are_first=True)]


def stamped(name: str, raws: Sequence[bytes]) -> list[Stamped]:
    return [*stamp_lines(name, LineReader().stretches(name, raws, []), [], [])]
