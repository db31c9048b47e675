"""Debug logs in every form that servers and log collectors give them, and faults that users of such tools report."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.codec.flexnet import FlexnetLog, read_flexnet
from pipeline.codec.flexnet.carrying import carried
from pipeline.model.errors import LICENCE_LOG_CODES, InputError
from pipeline.model.instants import iso

START = " 7:00:00 (lmgrd) FlexNet Licensing (v11.16 build 1) started on srv1 (linux) (5/3/2022)"
Span = tuple[str, str, str, str, str]


def read(*lines: str | bytes, timezone: str = "UTC") -> FlexnetLog:
    return read_files(lines, timezone=timezone)


def read_files(*files: tuple[str | bytes, ...], timezone: str = "UTC") -> FlexnetLog:
    sources = [
        (f"{number}.log", [line if isinstance(line, bytes) else line.encode() + b"\n" for line in lines])
        for number, lines in enumerate(files, 1)
    ]
    return read_flexnet(sources, account="acme", timezone=timezone)


def spans(log: FlexnetLog) -> list[Span]:
    """User, machine, opening, end (without the date of the first day) and state of every session."""
    return [
        (str(h["user"]), str(h["machine"]), short(int(h["opened_at"])), short(int(h["at"])), str(h["state"]))
        for h in (session.heartbeat for session in log.sessions)
    ]


def short(at: int) -> str:
    return iso(at).removeprefix("2022-05-03T").removesuffix("Z").removesuffix(":00")


def day(clock: str, number: int = 3) -> int:
    return int(datetime.fromisoformat(f"2022-05-0{number}T{clock}").replace(tzinfo=UTC).timestamp() * 1000)


class TestEndsOfDaemons:
    def test_a_daemon_that_exited_has_no_sessions_after_it(self) -> None:
        log = read(
            START,
            ' 8:00:00 (MLM) OUT: "F1" ann@ws-1  ',
            ' 8:05:00 (MLM) OUT: "F1" bob@ws-2  ',
            " 9:00:00 (lmgrd) MLM exited with status 0 signal = 17",
            " 9:00:01 (lmgrd) REStarted MLM (internet tcp_port 27001)",
            " 9:00:01 (MLM) Server started on srv1 for: F1",
            '14:00:00 (MLM) OUT: "F1" cy@ws-3  ',
            '15:00:00 (MLM) IN: "F1" cy@ws-3  ',
            "19:00:00 (lmgrd) TIMESTAMP 5/4/2022",
        )
        assert [(user, end) for user, _, _, end, _ in spans(log)] == [
            ("ann", "09:00"),
            ("bob", "09:00"),
            ("cy", "15:00"),
        ]

    @pytest.mark.parametrize(
        "line",
        [" 9:00:00 (MLM) EXITING DUE TO SIGNAL 15 Exit reason 5", " 9:00:00 (lmgrd) MLM exited with status 2"],
    )
    def test_the_end_of_another_daemon_closes_nothing(self, line: str) -> None:
        other = ' 8:00:00 (adskflex) OUT: "A" ann@ws-1  '
        log = read(START, other, ' 8:00:00 (MLM) OUT: "F1" ann@ws-1  ', line, "10:00:00 (lmgrd) x")
        assert [(end, state) for *_, end, state in spans(log)] == [("10:00", "beat"), ("09:00", "close")]

    @pytest.mark.parametrize(
        "line", [" 9:00:00 (MLM) Server started on srv1 for: F1", " 9:00:00 (lmgrd) REStarted MLM (pid 7)"]
    )
    def test_without_an_end_line_sessions_end_at_the_last_stamp_before_the_restart(self, line: str) -> None:
        log = read(START, ' 8:00:00 (MLM) OUT: "F1" ann@ws-1  ', " 8:30:00 (MLM) x", line, "10:00:00 (lmgrd) x")
        assert spans(log) == [("ann", "ws-1", "08:00", "08:30", "close")]

    def test_a_daemons_own_log_needs_no_start_line_of_the_server(self) -> None:
        log = read(
            " 7:00:00 (MLM) TIMESTAMP 5/3/2022",
            ' 8:00:00 (MLM) OUT: "F1" ann@ws-1  ',
            " 9:00:00 (MLM) EXITING DUE TO SIGNAL 15 Exit reason 5",
            "10:00:00 (MLM) Server started on srv1 for: F1",
            "11:00:00 (MLM) TIMESTAMP 5/3/2022",
        )
        assert spans(log) == [("ann", "ws-1", "08:00", "09:00", "close")]

    def test_a_shutdown_gives_back_all_that_its_user_holds_there(self) -> None:
        log = read(
            START,
            ' 8:00:00 (MLM) OUT: "F1" ann@ws-1  ',
            ' 8:00:00 (MLM) OUT: "F1" ann@ws-1  ',
            ' 8:00:00 (MLM) OUT: "F2" Ann@WS-1  ',
            ' 8:00:00 (MLM) OUT: "F1" ann@ws-2  ',
            ' 9:00:00 (MLM) IN: "F1" ann@ws-1  (SHUTDOWN)',
            ' 9:00:01 (MLM) IN: "F2" ann@ws-1  (SHUTDOWN)',
            "10:00:00 (lmgrd) x",
        )
        assert [end for *_, end, _ in spans(log)] == ["09:00", "09:00", "09:00", "10:00"]
        assert log.unmatched_ins == ()


class TestServers:
    def test_the_start_of_one_server_closes_nothing_of_another(self) -> None:
        first = (START, ' 8:00:00 (MLM) OUT: "F1" ann@ws-1  ', '12:00:00 (MLM) IN: "F1" ann@ws-1  ')
        second = ("10:00:00 (lmgrd) FlexNet Licensing (v11) started on srv2 (linux) (5/3/2022)", "11:00:00 (lmgrd) x")
        for files in ((first, second), (second, first)):
            assert spans(read_files(*files)) == [("ann", "ws-1", "08:00", "12:00", "close")]

    def test_what_a_server_leaves_open_is_in_use_until_its_own_last_stamp(self) -> None:
        first = (START, ' 8:00:00 (MLM) OUT: "F1" ann@ws-1  ', " 9:00:00 (lmgrd) TIMESTAMP 5/3/2022")
        second = (START.replace("srv1", "srv2"), "23:00:00 (lmgrd) TIMESTAMP 5/3/2022")
        log = read_files(first, second)
        assert spans(log) == [("ann", "ws-1", "08:00", "09:00", "beat")]
        assert short(log.last_at) == "23:00"

    def test_a_file_without_a_start_line_belongs_to_the_server_with_its_daemon(self) -> None:
        first = (START, ' 8:00:00 (MLM) OUT: "F1" ann@ws-1  ', " 9:00:00 (lmgrd) TIMESTAMP 5/3/2022")
        second = (START.replace("srv1", "srv2"), ' 8:00:00 (adsk) OUT: "A" bob@ws-2  ', " 9:00:00 (lmgrd) x")
        third = ("10:00:00 (lmgrd) TIMESTAMP 5/3/2022", '11:00:00 (MLM) IN: "F1" ann@ws-1  ')
        ends = {user: end for user, _, _, end, _ in spans(read_files(first, second, third))}
        assert ends == {"ann": "11:00", "bob": "09:00"}


class TestNames:
    @pytest.mark.parametrize(
        ("rest", "user", "host", "sessions"),
        [
            (
                '"F1" @ws-4 ^^^ 1.0 dee@acme.example 10.0.0.7 2989 0x1 3 10 - 11 16 5/3/2022 8:30 0 ^^^',
                "dee@acme.example",
                "ws-4",
                1,
            ),
            ('"F1" @ws-4 (2) ^^^ 1.0 dee 10.0.0.7 2989 0x1 3 10 - 11 16 5/3/2022 8:30 0 ^^^', "dee", "ws-4", 2),
            ('"F1" dee@ws-4 ^^^ 1.0 dee 127.0.0.1 29865 0x12CE ^^^', "dee", "ws-4", 1),
            ('"F1" @Anns iMac ^^^ 1.0 ann 10.0.0.7 2989 ^^^', "ann", "Anns iMac", 1),
            ('"F1" ann@Anns iMac  ', "ann", "Anns iMac", 1),
            ('"F1" ann lee@Anns MacBook Pro  (3 licenses)', "ann lee", "Anns MacBook Pro", 3),
            ('"F1" ann@ws-1 [cd] (2 licenses)', "ann", "ws-1", 2),
            ("F1 ann@ws-1", "ann", "ws-1", 1),
            ("F1 by ann@ws-1 (2 licenses)", "ann", "ws-1", 2),
            ('"F1" by@ws-1', "by", "ws-1", 1),
        ],
    )
    def test_user_and_host_are_read_in_every_form(self, rest: str, user: str, host: str, sessions: int) -> None:
        log = read(START, f" 8:30:00 (vd) OUT: {rest}", f" 9:30:00 (vd) IN: {rest}")
        assert spans(log) == [(user, host, "08:30", "09:30", "close")] * sessions
        assert {session.heartbeat["product"] for session in log.sessions} == {"F1"}
        assert log.unmatched_ins == ()

    def test_machines_whose_names_begin_alike_are_two(self) -> None:
        log = read(
            START,
            ' 8:00:00 (vd) OUT: "F1" ann@Anns iMac  ',
            ' 8:10:00 (vd) OUT: "F1" ann@Anns MacBook Pro  ',
            ' 9:00:00 (vd) IN: "F1" ann@Anns MacBook Pro  ',
            "10:00:00 (lmgrd) x",
        )
        assert [(host, end) for _, host, _, end, _ in spans(log)] == [
            ("Anns iMac", "10:00"),
            ("Anns MacBook Pro", "09:00"),
        ]

    @pytest.mark.parametrize("rest", ['"F1" @ws-4 ^^^', '"F1" a[b]@ws-4  ', '"F1" @ws-4', '"F1" ann@', '"F1" ^^^@ws-1'])
    def test_what_is_no_name_makes_its_line_a_broken_one(self, rest: str) -> None:
        (broken,) = read(START, f" 8:30:00 (vd) OUT: {rest}").broken
        assert (broken.line, broken.code) == (2, "unreadable_line")


class TestManyLicences:
    def test_thousands_of_licences_in_a_line_cost_as_much_as_ten(self) -> None:
        log = read(START, ' 8:00:00 (vd) OUT: "F1" ann@ws-1  (21000 licenses)', " 9:00:00 (lmgrd) x")
        assert spans(log) == [("ann", "ws-1", "08:00", "09:00", "beat")] * 10
        assert any("10 sessions" in str(note) for note in log.notes)

    def test_the_last_licences_to_come_back_end_the_use(self) -> None:
        log = read(
            START,
            ' 8:00:00 (vd) OUT: "F1" ann@ws-1  (21000 licenses)',
            ' 9:00:00 (vd) IN: "F1" ann@ws-1  (20999 licenses)',
            '10:00:00 (vd) IN: "F1" ann@ws-1  (1 license)',
        )
        assert [end for *_, end, _ in spans(log)] == ["09:00"] * 9 + ["10:00"]
        assert log.unmatched_ins == ()

    @pytest.mark.parametrize(
        "form",
        ['"F1" ann@ws-1  (1->3 licenses)', '"F1" 1 -> 3 by ann@ws-1', "F1 1 -> 3 by ann@ws-1", '"F1" (1->3) ann@ws-1'],
    )
    def test_an_upgrade_changes_the_number(self, form: str) -> None:
        back = ' 9:00:00 (vd) IN: "F1" ann@ws-1  (3 licenses)'
        log = read(START, ' 8:00:00 (vd) OUT: "F1" ann@ws-1  ', f" 8:30:00 (vd) UPGRADE: {form}", back)
        assert [(opened, end) for *_, opened, end, _ in spans(log)] == [("08:00", "09:00")] + [("08:30", "09:00")] * 2
        assert log.unmatched_ins == ()

    def test_an_upgrade_from_none_is_a_checkout(self) -> None:
        back = ' 9:00:00 (vd) IN: "F1" ann@ws-1  (3 licenses)'
        log = read(START, ' 8:30:00 (vd) UPGRADE: "F1" 0 -> 3 by ann@ws-1', back)
        assert [(opened, end) for *_, opened, end, _ in spans(log)] == [("08:30", "09:00")] * 3
        assert log.unmatched_ins == ()

    def test_an_upgrade_to_fewer_gives_the_difference_back(self) -> None:
        out, upgrade = ' 8:00:00 (vd) OUT: "F1" a@w  (3 licenses)', ' 8:30:00 (vd) UPGRADE: "F1" a@w  (3->1 licenses)'
        log = read(START, out, upgrade, ' 9:00:00 (vd) IN: "F1" a@w  ')
        assert [end for *_, end, _ in spans(log)] == ["08:30", "08:30", "09:00"]


class TestStatedDates:
    def test_the_next_stated_date_says_how_often_the_clock_passed_midnight(self) -> None:
        log = read(
            START,
            ' 9:00:00 (vd) OUT: "F1" ann@ws-1  ',
            '17:00:00 (vd) IN: "F1" ann@ws-1  ',
            '17:30:00 (vd) OUT: "F1" bob@ws-2  ',
            ' 8:00:00 (vd) IN: "F1" bob@ws-2  ',
            ' 8:10:00 (vd) OUT: "F1" cy@ws-3  ',
            '12:00:00 (vd) IN: "F1" cy@ws-3  ',
            "13:00:00 (lmgrd) TIMESTAMP 5/4/2022",
        )
        assert [(user, opened, end) for user, _, opened, end, _ in spans(log)] == [
            ("ann", "09:00", "17:00"),
            ("bob", "17:30", "2022-05-04T08:00"),
            ("cy", "2022-05-04T08:10", "2022-05-04T12:00"),
        ]
        assert log.notes == ()

    def test_where_the_clock_goes_back_more_often_the_large_step_is_midnight_and_a_note_says_so(self) -> None:
        log = read(
            START,
            '20:00:00 (vd) OUT: "F1" ann@ws-1  ',
            '19:00:00 (vd) OUT: "F1" bob@ws-2  ',
            ' 4:00:00 (vd) IN: "F1" ann@ws-1  ',
            " 5:00:00 (lmgrd) TIMESTAMP 5/4/2022",
        )
        assert [(user, opened, end) for user, _, opened, end, _ in spans(log)] == [
            ("ann", "20:00", "2022-05-04T04:00"),
            ("bob", "19:00", "2022-05-04T05:00"),
        ]
        (note,) = map(str, log.notes)
        assert note.startswith("1.log:3: lines 3, 4: the clock goes back more often than midnights passed")

    def test_no_line_lies_after_the_dated_line_that_follows_it(self) -> None:
        log = read(START, '20:00:00 (vd) OUT: "F1" ann@ws-1  ', " 7:30:00 (lmgrd) TIMESTAMP 5/4/2022")
        assert spans(log) == [("ann", "ws-1", "20:00", "2022-05-04T07:30", "beat")]

    def test_disorder_of_seconds_is_not_midnight_because_the_server_was_down_for_days(self) -> None:
        log = read(
            START,
            ' 8:00:01 (vd) OUT: "F1" ann@ws-1  ',
            ' 8:00:00 (vd) OUT: "F1" bob@ws-2  ',
            " 9:00:00 (lmgrd) FlexNet Licensing (v11.16) started on srv1 (linux) (5/5/2022)",
        )
        assert [(user, opened, end) for user, _, opened, end, _ in spans(log)] == [
            ("ann", "08:00:01", "08:00:01"),
            ("bob", "08:00", "08:00:01"),
        ]

    def test_days_without_a_line_are_named_in_a_note(self) -> None:
        log = read(START, ' 8:00:00 (vd) OUT: "F1" ann@ws-1  ', " 9:00:00 (lmgrd) TIMESTAMP 5/6/2022")
        assert [str(note) for note in log.notes] == [
            "1.log:2: lines 2: 3 days without a line passed before the date in line 3; taken as just before it"
        ]


class TestPrefixesAndEncodings:
    OUT = ' 8:00:00 (vd) OUT: "F1" ann@ws-1  '
    IN = ' 9:00:00 (vd) IN: "F1" ann@ws-1  '

    @pytest.mark.parametrize(
        "prefix",
        [
            "2022-05-03T08:00:00.123456789Z ",
            "lmgrd-1  | ",
            "license_server_1 |",
            "May 03 08:00:00 srv1 lmgrd[812]: ",
            "2022-05-03T08:00:00+0200 srv1 lmgrd[812]: ",
            "<13>1 2022-05-03T08:00:00Z srv1 lmgrd 812 - - ",
            "<30>May  3 08:00:00 lmgrd: ",
        ],
    )
    def test_the_prefix_of_a_log_collector_is_no_part_of_the_line(self, prefix: str) -> None:
        log = read(*(prefix + line for line in (START, self.OUT, self.IN)))
        assert spans(log) == [("ann", "ws-1", "08:00", "09:00", "close")]
        assert (log.broken, log.unmatched_ins) == ((), ())

    def test_a_record_of_dockers_json_log_holds_a_line(self) -> None:
        lines = [
            '{"log":"' + line.replace('"', '\\"') + '\\n","stream":"stdout","time":"2022-05-03T08:00:00Z"}'
            for line in (START, self.OUT, self.IN)
        ]
        assert spans(read(*lines)) == [("ann", "ws-1", "08:00", "09:00", "close")]

    @pytest.mark.parametrize(
        "form", ["2022-05-0{}", "2022/05/0{}", "5/{}/2022", "0{}-May-2022", "May {}, 2022", "Tue May {} 2022"]
    )
    def test_a_date_in_front_of_the_clock_dates_its_line(self, form: str) -> None:
        log = read(f"{form.format(3)}{self.OUT}", f"{form.format(5)}{self.IN}")
        assert spans(log) == [("ann", "ws-1", "08:00", "2022-05-05T09:00", "close")]

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
    def test_a_log_in_another_encoding_is_read(self, encoding: str) -> None:
        text = "\r\n".join([START, self.OUT.replace("ann", "jörg"), self.IN.replace("ann", "JÖRG"), ""])
        log = (
            read(*text.encode(encoding).splitlines(keepends=False))
            if encoding == "utf-8-sig"
            else read(*cut(text.encode(encoding)))
        )
        assert spans(log) == [("jörg", "ws-1", "08:00", "09:00", "close")]

    def test_a_file_may_go_on_in_another_encoding(self) -> None:
        before = f"{START}\r\n{self.OUT}\r\n".encode()
        after = f"{self.IN}\r\n10:00:00 (lmgrd) x\r\n".encode("utf-16")
        log = read(*cut(before + after))
        assert spans(log) == [("ann", "ws-1", "08:00", "09:00", "close")]
        assert log.broken == ()


def cut(content: bytes) -> list[bytes]:
    """Lines as they are read from a file: cut behind each byte 0x0A."""
    return [line + b"\n" for line in content.split(b"\n")]


class TestNothingVanishes:
    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ('99:00:00 (vd) OUT: "F1" ann@ws-1', "unreadable_clock"),
            ('(vd) IN: "F1" ann@ws-1', "unreadable_clock"),
            ('8h00 (vd) DENIED: "F1" ann@ws-1', "unreadable_clock"),
            (' 9:00:00 (vd) OUT: "F1" nobody', "unreadable_line"),
            (" 9:00:00 (lmgrd) TIMESTAMP 32/13/2022", "unreadable_date"),
        ],
    )
    def test_a_line_that_cannot_be_read_has_a_code_of_its_own(self, line: str, code: str) -> None:
        (broken,) = read(START, line).broken
        assert (broken.line, broken.code) == (2, code)

    def test_a_date_that_cannot_be_read_is_quoted(self) -> None:
        (broken,) = read(START, " 9:00:00 (lmgrd) TIMESTAMP 32/13/2022").broken
        assert broken.reason.startswith("'32/13/2022' is not a date")

    @pytest.mark.parametrize(
        ("line", "kind", "reason"),
        [
            ("DENIED: 4 F1 to eve@ws-5", "denied", ""),
            (
                'DENIED: "F1" eve@ws-5  (Licensed number of users already reached. (-4,342))',
                "denied",
                "Licensed number of users already reached. (-4,342)",
            ),
            ('DENIED: "F1" eve@ws-5 [project x] (No. [see] (-4,342))', "denied", "No. [see] (-4,342)"),
            ('DENIED: "F1" @ws-5 (No licence (-4,342)) ^^^ 1.0 eve 10.0.0.7 2989 ^^^', "denied", "No licence (-4,342)"),
            (
                'UNSUPPORTED: "F1" (00B0 EF6E AFC6 B280 ) eve@ws-5  (No such feature exists. (-5,346))',
                "unsupported",
                "No such feature exists. (-5,346)",
            ),
            ('QUEUED: "F1" eve@ws-5  ', "queued", ""),
            ('DEQUEUED: "F1" eve@ws-5  ', "dequeued", ""),
        ],
    )
    def test_refusals_are_kept_with_their_reason(self, line: str, kind: str, reason: str) -> None:
        log = read(START, f" 9:00:00 (vd) {line}")
        assert [(d.kind, d.feature, d.user, d.host, d.reason) for d in log.denials] == [
            (kind, "F1", "eve", "ws-5", reason)
        ]
        assert log.broken == ()


class TestOtherFiles:
    @pytest.mark.parametrize(
        ("first", "what"),
        [
            ("lmstat - Copyright (c) 1989-2022 Flexera.", "looks like the output of lmstat"),
            ("05/03 08:00 (rlm) RLM License Server Version 14.2", "looks like a log of RLM"),
            ("[2022-05-03 08:00:00] LM-X License Server v5.3", "looks like a log of LM-X"),
            ("2022/05/03 08:00:00:123 I LICENSESERV Started", "looks like a log of DSLS"),
            ("SERVER srv1 0123456789ab 27000", "looks like a licence file"),
            ('{"v":1,"account":"acme"}', "looks like JSON"),
        ],
    )
    def test_a_file_of_another_kind_is_refused_with_its_first_line_and_what_it_looks_like(
        self, first: str, what: str
    ) -> None:
        with pytest.raises(InputError) as refused:
            read("", first, "more of it")
        assert first[:60] in refused.value.reason
        assert what in refused.value.reason
        assert refused.value.place == "1.log"


class TestPiecesInSeveralRuns:
    FIRST = (START, ' 8:00:00 (vd) OUT: "F1" ann@ws-1  ', " 9:00:00 (lmgrd) TIMESTAMP 5/3/2022")
    SECOND = (
        " 9:30:00 (lmgrd) TIMESTAMP 5/3/2022",
        '10:00:00 (vd) OUT: "F1" bob@ws-2  ',
        '12:00:00 (vd) IN: "F1" Ann@WS-1  ',
        "13:00:00 (lmgrd) TIMESTAMP 5/3/2022",
    )

    @staticmethod
    def _gone_on(*pieces: tuple[str, ...]) -> list[tuple[str, str, str]]:
        logs = [read(*piece) for piece in pieces]
        beats = carried("acme", [piece for log in logs for piece in log.pieces])
        return [(str(h["user"]), short(int(h["at"])), str(h["state"])) for h in (beat.heartbeat for beat in beats)]

    def test_a_return_closes_the_session_that_an_earlier_piece_left_open(self) -> None:
        assert self._gone_on(self.FIRST, self.SECOND) == [("ann", "12:00", "close")]
        assert self._gone_on(self.SECOND, self.FIRST, self.SECOND) == [("ann", "12:00", "close")]

    def test_the_session_is_the_one_of_the_earlier_piece(self) -> None:
        first, second = read(*self.FIRST), read(*self.SECOND)
        (beat,) = carried("acme", [*first.pieces, *second.pieces])
        assert beat.heartbeat["session"] == first.sessions[0].heartbeat["session"]
        assert beat.heartbeat["opened_at"] == day("08:00:00")

    def test_without_a_return_it_goes_on_to_the_last_stamp_of_the_next_piece(self) -> None:
        second = tuple(line for line in self.SECOND if " IN: " not in line)
        assert self._gone_on(self.FIRST, second) == [("ann", "13:00", "beat")]

    def test_a_restart_in_the_next_piece_ends_it_at_the_last_stamp_before(self) -> None:
        restart = "11:00:00 (lmgrd) FlexNet Licensing (v11.16) started on srv1 (linux) (5/3/2022)"
        second = (*self.SECOND[:2], restart, *self.SECOND[2:])
        assert self._gone_on(self.FIRST, second) == [("ann", "10:00", "close")]

    def test_pieces_of_another_server_say_nothing_of_it(self) -> None:
        other = (START.replace("srv1", "srv2"), *self.SECOND)
        assert self._gone_on(self.FIRST, other) == []

    def test_across_a_missing_piece_only_a_return_says_anything(self) -> None:
        later = tuple(line.replace("5/3", "5/5") for line in self.SECOND)
        assert self._gone_on(self.FIRST, later) == [("ann", "2022-05-05T12:00", "close")]
        silent = tuple(line for line in later if " IN: " not in line)
        assert self._gone_on(self.FIRST, silent) == []


def test_every_code_of_a_licence_log_has_a_line() -> None:
    lines = ("99:00:00 (vd) x", ' 9:00:00 (vd) OUT: "F1" nobody', " 9:00:00 (lmgrd) TIMESTAMP 32/13/2022")
    undated = read('12:00:00 (vd) OUT: "F1" ann@ws-1', " 9:00:00 (vd) x", START).broken
    assert {broken.code for broken in (*read(START, *lines).broken, *undated)} == LICENCE_LOG_CODES
