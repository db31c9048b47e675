"""FlexNet debug logs read as heartbeats: dates, sessions, refusals, rotated files, and two real logs (INTERFACES)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.codec.flexnet import FlexnetLog, FlexnetReader, LoggedDenial, LoggedHeartbeat, read_flexnet
from pipeline.model.errors import InputError
from pipeline.model.instants import Period, iso

REAL_LOGS = Path(__file__).resolve().parents[4] / "../shared/data/flexnet"

START = " 8:00:00 (lmgrd) FlexNet Licensing (v11.18.0.0 build 275847 x64_n6) started on srv (IBM PC) (5/5/2022)"
OUT = '(adskflex) OUT: "ACD" jana@ws-1'
IN = '(adskflex) IN: "ACD" jana@ws-1'


def read(*lines: str, timezone: str = "UTC") -> FlexnetLog:
    return read_files(lines, timezone=timezone)


def read_files(*files: Sequence[str], timezone: str = "UTC") -> FlexnetLog:
    sources = [(f"{number}.log", [line.encode() + b"\r\n" for line in lines]) for number, lines in enumerate(files, 1)]
    return read_flexnet(sources, account="acme", timezone=timezone)


class Readings:
    """A file's lines that count how often reading them was begun; ``later`` are there from the second time on."""

    def __init__(self, lines: Sequence[str], later: Sequence[str] = ()) -> None:
        self._lines, self._later, self.begun = lines, later, 0

    def __iter__(self) -> Iterator[bytes]:
        self.begun += 1
        yield from (line.encode() for line in (self._lines if self.begun == 1 else [*self._lines, *self._later]))


def spans(log: FlexnetLog) -> list[tuple[str, str, str, str]]:
    """User, opening, end and state of every heartbeat, as a reader would write them down."""
    return [
        (str(h["user"]), iso(int(h["opened_at"])), iso(int(h["at"])), str(h["state"]))
        for h in (session.heartbeat for session in log.sessions)
    ]


def ids(log: FlexnetLog) -> list[int | str]:
    return [session.heartbeat["session"] for session in log.sessions]


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


class TestSessions:
    def test_an_out_and_its_in_are_one_closed_heartbeat_that_says_all_by_itself(self) -> None:
        log = read(START, f" 8:10:00 {OUT}  ", f" 9:30:05 {IN}  ")
        (session,) = log.sessions
        opened_at, closed_at = at("2022-05-05T08:10:00"), at("2022-05-05T09:30:05")
        assert {**session.heartbeat, "session": ""} == {
            "v": 1,
            "account": "acme",
            "product": "ACD",
            "machine": "ws-1",
            "user": "jana",
            "session": "",
            "state": "close",
            "opened_at": opened_at,
            "since": opened_at,
            "at": closed_at,
            "resumed_at": opened_at,
            "active_at": closed_at,
        }
        assert len(str(session.heartbeat["session"])) == 32
        assert (session.source, session.line) == ("1.log", 2)

    def test_an_in_closes_the_oldest_open_session_of_its_user(self) -> None:
        log = read(START, f" 8:10:00 {OUT}", f" 8:20:00 {OUT}", f" 8:30:00 {IN}", f" 8:40:00 {IN}")
        assert spans(log) == [
            ("jana", "2022-05-05T08:10:00Z", "2022-05-05T08:30:00Z", "close"),
            ("jana", "2022-05-05T08:20:00Z", "2022-05-05T08:40:00Z", "close"),
        ]

    def test_an_in_closes_only_the_feature_user_and_host_it_names(self) -> None:
        others = [
            ' 8:11:00 (adskflex) OUT: "INV" jana@ws-1',
            ' 8:12:00 (adskflex) OUT: "ACD" eva@ws-1',
            ' 8:13:00 (adskflex) OUT: "ACD" jana@ws-2',
        ]
        log = read(START, *others, f" 8:20:00 {OUT}", f" 8:30:00 {IN}")
        assert [state for *_, state in spans(log)] == ["beat", "beat", "beat", "close"]

    def test_user_and_host_match_after_folding_and_are_emitted_as_logged(self) -> None:
        log = read(START, ' 8:10:00 (a) OUT: "ACD" JOSE\u0301@WS-1', ' 8:30:00 (a) IN: "ACD" jos\u00e9@ws-1')
        assert spans(log) == [("JOSE\u0301", "2022-05-05T08:10:00Z", "2022-05-05T08:30:00Z", "close")]
        assert log.sessions[0].heartbeat["machine"] == "WS-1"
        assert log.unmatched_ins == ()

    def test_a_feature_is_matched_verbatim(self) -> None:
        log = read(START, ' 8:10:00 (a) OUT: "ACD" jana@ws-1', ' 8:30:00 (a) IN: "acd" jana@ws-1')
        assert [state for *_, state in spans(log)] == ["beat"]
        assert [unmatched.feature for unmatched in log.unmatched_ins] == ["acd"]

    def test_what_is_open_at_the_end_is_in_use_until_the_last_stamp(self) -> None:
        log = read(START, f" 8:10:00 {OUT}", "14:00:00 (lmgrd) TIMESTAMP 5/5/2022", "15:00:00 (lmgrd) Done rereading")
        assert spans(log) == [("jana", "2022-05-05T08:10:00Z", "2022-05-05T15:00:00Z", "beat")]
        assert (iso(log.first_at), iso(log.last_at)) == ("2022-05-05T08:00:00Z", "2022-05-05T15:00:00Z")

    def test_the_last_stamp_is_the_latest_not_that_of_a_late_last_line(self) -> None:
        log = read(START, f" 8:10:00 {OUT}", " 9:00:05 (a) chatter", " 9:00:01 (lmgrd) chatter")
        assert iso(log.last_at) == "2022-05-05T09:00:05Z"

    def test_out_and_in_of_one_second_are_a_bare_close(self) -> None:
        (session,) = read(START, f" 8:10:00 {OUT}", f" 8:10:00 {IN}").sessions
        heartbeat = session.heartbeat
        assert heartbeat["since"] == heartbeat["at"] == at("2022-05-05T08:10:00")
        assert heartbeat["state"] == "close"

    def test_several_licenses_are_several_sessions_and_a_return_closes_the_oldest_of_them(self) -> None:
        log = read(
            START,
            f" 8:10:00 {OUT}  (3 licenses)",
            f" 8:20:00 {OUT}",
            f" 8:30:00 {IN}  (2 licenses)",
            f" 8:40:00 {IN}",
        )
        assert [(opened, end, state) for _, opened, end, state in spans(log)] == [
            ("2022-05-05T08:10:00Z", "2022-05-05T08:30:00Z", "close"),
            ("2022-05-05T08:10:00Z", "2022-05-05T08:30:00Z", "close"),
            ("2022-05-05T08:10:00Z", "2022-05-05T08:40:00Z", "close"),
            ("2022-05-05T08:20:00Z", "2022-05-05T08:40:00Z", "beat"),
        ]
        assert len(set(ids(log))) == 4

    def test_a_return_of_more_than_is_open_closes_what_is_and_reports_the_rest(self) -> None:
        log = read(START, f" 8:10:00 {OUT}", f" 8:30:00 {IN}  (3 licenses)")
        assert [state for *_, state in spans(log)] == ["close"]
        (unmatched,) = log.unmatched_ins
        assert (unmatched.licenses, unmatched.user, unmatched.source, unmatched.line) == (2, "jana", "1.log", 3)

    def test_an_in_whose_out_is_in_an_older_file_is_reported_but_not_broken(self) -> None:
        log = read(START, f" 8:30:00 {IN}")
        assert (log.sessions, log.broken, len(log.unmatched_ins)) == ((), (), 1)

    @pytest.mark.parametrize("suffix", ["(INACTIVE)", "(SHUTDOWN)", "(USER_REMOVED)", "[job 7@grid]", "^^^ 1.0 x@y 4"])
    def test_whatever_made_the_license_come_back_closes_its_session(self, suffix: str) -> None:
        log = read(START, f" 8:10:00 {OUT}  ", f" 8:30:00 {IN}  {suffix}")
        assert spans(log) == [("jana", "2022-05-05T08:10:00Z", "2022-05-05T08:30:00Z", "close")]

    @pytest.mark.parametrize("user", ["jana novak", "jana@acme.example", "jana m@acme novak", "Jana (ext)", "novák"])
    @pytest.mark.parametrize("suffix", ["", "  ", "  (3 licenses)", " (INACTIVE)", "  [a@b c]"])
    def test_a_user_is_everything_up_to_the_last_at_sign_before_the_host(self, user: str, suffix: str) -> None:
        log = read(START, f' 8:10:00 (a) OUT: "ACD" {user}@ws-1{suffix}', f' 8:30:00 (a) IN: "ACD" {user}@ws-1{suffix}')
        assert {(s.heartbeat["user"], s.heartbeat["machine"]) for s in log.sessions} == {(user, "ws-1")}
        assert log.unmatched_ins == ()

    def test_a_user_in_latin_1_is_kept(self) -> None:
        lines = [START.encode(), b' 8:10:00 (a) OUT: "ACD" J\xf6rg@ws-1', b' 8:30:00 (a) IN: "ACD" j\xd6rg@ws-1']
        log = read_flexnet([("x.log", lines)], account="acme")
        assert spans(log) == [("J\u00f6rg", "2022-05-05T08:10:00Z", "2022-05-05T08:30:00Z", "close")]

    def test_a_user_in_the_windows_code_page_is_kept(self) -> None:
        log = read_flexnet([("x.log", [START.encode(), b' 8:10:00 (a) OUT: "ACD" ale\x9a@ws-1'])], account="acme")
        assert [user for user, *_ in spans(log)] == ["ale\u0161"]

    def test_a_remark_two_blanks_after_the_host_is_not_part_of_it(self) -> None:
        log = read(START, ' 8:10:00 (a) OUT: "ACD" jana novak@ws-1  linger 30')
        assert [(s.heartbeat["user"], s.heartbeat["machine"]) for s in log.sessions] == [("jana novak", "ws-1")]

    def test_an_in_that_a_clock_set_back_puts_before_its_out_closes_at_the_opening(self) -> None:
        log = read(START, f" 8:10:00 {OUT}", f" 8:09:58 {IN}", f" 8:20:00 {OUT}", f" 8:30:00 {IN}")
        assert spans(log) == [
            ("jana", "2022-05-05T08:10:00Z", "2022-05-05T08:10:00Z", "close"),
            ("jana", "2022-05-05T08:20:00Z", "2022-05-05T08:30:00Z", "close"),
        ]

    def test_ids_differ_where_names_only_read_alike_when_joined(self) -> None:
        outs = ['"A" bc@d', '"AB" c@d', '"A" b@cd', '"A1" b@cd', '"A" 1b@cd']
        log = read(START, *(f" 8:10:00 (a) OUT: {out}" for out in outs), ' 8:10:00 (a) OUT: "A" bc@d')
        assert len(set(ids(log))) == 6

    def test_an_id_does_not_depend_on_how_the_names_are_cased(self) -> None:
        assert ids(read(START, f" 8:10:00 {OUT}")) == ids(read(START, ' 8:10:00 (a) OUT: "ACD" JANA@WS-1'))


class TestRestarts:
    def test_a_start_closes_what_is_open_at_the_last_stamp_before_it(self) -> None:
        log = read(
            START,
            f" 8:10:00 {OUT}",
            "10:00:00 (lmgrd) chatter",
            "11:00:00 (lmgrd) FlexNet Licensing (v11.18.0.0) started on srv (IBM PC) (5/7/2022)",
            f"12:00:00 {IN}",
        )
        assert spans(log) == [("jana", "2022-05-05T08:10:00Z", "2022-05-05T10:00:00Z", "close")]
        assert [unmatched.line for unmatched in log.unmatched_ins] == [5]

    def test_sessions_that_a_shutdown_returned_are_not_closed_again_by_the_start(self) -> None:
        log = read(START, f" 8:10:00 {OUT}", f" 8:30:00 {IN}  (SHUTDOWN)", START.replace(" 8:00", " 9:00"))
        assert spans(log) == [("jana", "2022-05-05T08:10:00Z", "2022-05-05T08:30:00Z", "close")]

    def test_a_daemon_that_starts_closes_what_it_had_open_at_the_last_stamp_before(self) -> None:
        started = " 8:15:00 (adskflex) Server started on srv for: ACD INV "
        log = read(START, f" 8:10:00 {OUT}", " 8:12:00 (lmgrd) x", started, f" 8:30:00 {IN}")
        assert spans(log) == [("jana", "2022-05-05T08:10:00Z", "2022-05-05T08:12:00Z", "close")]
        assert [unmatched.line for unmatched in log.unmatched_ins] == [5]


class TestDates:
    def test_the_date_rolls_over_when_the_clock_goes_back_by_more_than_12_hours(self) -> None:
        log = read(START, f"23:50:00 {OUT}", f" 0:20:00 {IN}", f"13:00:00 {OUT}", f" 0:59:59 {IN}")
        assert spans(log) == [
            ("jana", "2022-05-05T23:50:00Z", "2022-05-06T00:20:00Z", "close"),
            ("jana", "2022-05-06T13:00:00Z", "2022-05-07T00:59:59Z", "close"),
        ]

    def test_a_clock_that_goes_back_by_12_hours_or_less_is_disorder(self) -> None:
        log = read(START, "20:00:00 (lmgrd) chatter", f" 8:00:00 {OUT}", f"20:00:01 {IN}")
        assert spans(log) == [("jana", "2022-05-05T08:00:00Z", "2022-05-05T20:00:01Z", "close")]

    def test_a_late_line_does_not_bring_the_rollover_nearer(self) -> None:
        log = read(START, "23:59:00 (lmgrd) chatter", "11:59:30 (a) chatter", f" 0:10:00 {OUT}", f" 0:20:00 {IN}")
        assert spans(log) == [("jana", "2022-05-06T00:10:00Z", "2022-05-06T00:20:00Z", "close")]

    def test_a_line_just_before_midnight_that_follows_the_timestamp_of_the_next_day_is_of_the_day_before(self) -> None:
        log = read(
            START,
            "20:00:00 (a) TIMESTAMP 5/5/2022",
            " 0:00:01 (lmgrd) TIMESTAMP 5/6/2022",
            f"23:59:58 {OUT}",
            f" 0:00:10 {IN}",
        )
        assert spans(log) == [("jana", "2022-05-05T23:59:58Z", "2022-05-06T00:00:10Z", "close")]

    def test_a_line_just_before_midnight_that_follows_the_first_of_the_next_day_is_of_the_day_before(self) -> None:
        log = read(START, "23:59:59 (a) x", " 0:00:01 (lmgrd) x", f"23:59:59 {OUT}", f" 0:00:02 {IN}", " 6:00:00 (a) x")
        assert spans(log) == [("jana", "2022-05-05T23:59:59Z", "2022-05-06T00:00:02Z", "close")]
        assert iso(log.last_at) == "2022-05-06T06:00:00Z"

    def test_a_timestamp_of_the_old_day_after_the_first_line_of_the_new_dates_only_itself(self) -> None:
        log = read(START, "20:00:00 (a) x", " 0:00:01 (a) x", "23:59:59 (lmgrd) TIMESTAMP 5/5/2022", f" 0:00:02 {OUT}")
        assert spans(log) == [("jana", "2022-05-06T00:00:02Z", "2022-05-06T00:00:02Z", "beat")]

    def test_a_clock_far_ahead_is_the_same_day_where_the_line_would_not_be_just_late(self) -> None:
        log = read(START, f" 8:10:00 {OUT}", f"22:30:00 {IN}")
        assert spans(log) == [("jana", "2022-05-05T08:10:00Z", "2022-05-05T22:30:00Z", "close")]

    def test_no_line_is_dated_before_the_start_of_its_server(self) -> None:
        log = read(START.replace(" 8:00", " 0:00"), f" 0:00:05 {OUT}", f"23:59:00 {IN}")
        assert spans(log) == [("jana", "2022-05-05T00:00:05Z", "2022-05-05T23:59:00Z", "close")]

    def test_a_timestamp_dates_what_follows_a_silence_of_days(self) -> None:
        log = read(START, "17:00:00 (a) x", "18:00:00 (lmgrd) TIMESTAMP 5/9/2022", f"18:10:00 {OUT}", f"18:20:00 {IN}")
        assert spans(log) == [("jana", "2022-05-09T18:10:00Z", "2022-05-09T18:20:00Z", "close")]

    def test_a_clock_that_had_been_wrong_does_not_keep_sessions_open_for_years(self) -> None:
        wrong, right = "10:00:00 (lmgrd) TIMESTAMP 5/5/2042", "10:05:00 (lmgrd) TIMESTAMP 5/5/2022"
        log = read(START, f" 9:00:00 {OUT}", wrong, right, "11:00:00 (a) x")
        assert spans(log) == [("jana", "2022-05-05T09:00:00Z", "2022-05-05T11:00:00Z", "beat")]

    def test_lines_before_the_first_timestamp_of_a_rotated_file_are_dated_backwards(self) -> None:
        log = read(
            f"21:00:00 {OUT}",
            " 0:00:02 (lmgrd) x",
            "23:59:58 (a) x",
            f" 0:00:04 {IN}",
            f" 1:00:00 {OUT}",
            " 5:00:00 (lmgrd) TIMESTAMP 5/6/2022",
        )
        assert spans(log) == [
            ("jana", "2022-05-05T21:00:00Z", "2022-05-06T00:00:04Z", "close"),
            ("jana", "2022-05-06T01:00:00Z", "2022-05-06T05:00:00Z", "beat"),
        ]

    def test_a_line_ahead_of_its_time_does_not_keep_those_before_it_from_the_day_before(self) -> None:
        log = read(f"23:59:00 {OUT}", "12:20:00 (a) x", f" 0:29:00 {IN}", " 0:30:00 (lmgrd) TIMESTAMP 5/6/2022")
        assert spans(log) == [("jana", "2022-05-05T23:59:00Z", "2022-05-06T00:29:00Z", "close")]

    def test_lines_before_a_start_are_dated_backwards_where_they_can_be_of_its_day_or_the_night_before(self) -> None:
        log = read(f"22:00:00 {OUT}", f"22:30:00 {IN}", START.replace(" 8:00", " 2:00"))
        assert spans(log) == [("jana", "2022-05-04T22:00:00Z", "2022-05-04T22:30:00Z", "close")]

    def test_events_before_a_start_that_nothing_dates_are_broken(self) -> None:
        log = read(
            "16:00:00 (lmgrd) x", f"16:30:00 {OUT}", f"17:30:00 {IN}", START, f" 8:10:00 {OUT}", f" 8:20:00 {IN}"
        )
        assert [(b.line, b.reason) for b in log.broken] == [
            (2, "an event before any known date"),
            (3, "an event before any known date"),
        ]
        assert spans(log) == [("jana", "2022-05-05T08:10:00Z", "2022-05-05T08:20:00Z", "close")]
        assert iso(log.first_at) == "2022-05-05T08:00:00Z"


class TestTimeZones:
    def test_the_clock_of_the_log_is_local(self) -> None:
        log = read(START, f" 8:10:00 {OUT}", f" 8:20:00 {IN}", timezone="Europe/Prague")
        assert spans(log) == [("jana", "2022-05-05T06:10:00Z", "2022-05-05T06:20:00Z", "close")]

    def test_a_session_over_the_start_of_summer_time_lasts_as_long_as_it_did(self) -> None:
        start = START.replace("5/5/2022", "3/26/2022")
        log = read(start, f"23:50:00 {OUT}", f" 3:10:00 {IN}", timezone="Europe/Prague")
        assert spans(log) == [("jana", "2022-03-26T22:50:00Z", "2022-03-27T01:10:00Z", "close")]

    def test_the_repeated_hour_is_first_its_summer_time_then_its_winter_time(self) -> None:
        log = read(
            START.replace("5/5/2022", "10/30/2022").replace(" 8:00", " 1:00"),
            " 2:50:00 (lmgrd) x",
            f" 2:49:58 {OUT}",
            f" 2:15:00 {IN}",
            f" 2:55:00 {OUT}",
            " 3:00:01 (lmgrd) x",
            f" 2:59:59 {IN}",
            timezone="Europe/Prague",
        )
        assert spans(log) == [
            ("jana", "2022-10-30T00:49:58Z", "2022-10-30T01:15:00Z", "close"),
            ("jana", "2022-10-30T01:55:00Z", "2022-10-30T01:59:59Z", "close"),
        ]

    @pytest.mark.parametrize("timezone", ["Europe/Atlantis", "", "../etc/passwd", "Europe"])
    def test_an_unknown_time_zone_is_refused_with_a_remedy(self, timezone: str) -> None:
        with pytest.raises(InputError, match="not a known time zone") as refused:
            read(START, timezone=timezone)
        assert "Europe/Prague" in refused.value.remedy


class TestLongSessions:
    @staticmethod
    def _log(end: str) -> FlexnetLog:
        """A session opened 5 May 08:10 that is returned at ``end`` (m/d, 08:10)."""
        return read(START, f" 8:10:00 {OUT}", f" 8:10:00 (lmgrd) TIMESTAMP {end}/2022", f" 8:10:00 {IN}")

    def test_a_session_of_exactly_35_days_is_one_heartbeat(self) -> None:
        assert len(self._log("6/9").sessions) == 1

    def test_a_longer_session_is_pieces_that_follow_one_another_each_a_session_of_its_own(self) -> None:
        log = self._log("8/1")
        assert spans(log) == [
            ("jana", "2022-05-05T08:10:00Z", "2022-06-09T08:10:00Z", "beat"),
            ("jana", "2022-06-09T08:10:00Z", "2022-07-14T08:10:00Z", "beat"),
            ("jana", "2022-07-14T08:10:00Z", "2022-08-01T08:10:00Z", "close"),
        ]
        assert len(set(ids(log))) == 3
        assert {session.line for session in log.sessions} == {2}
        for heartbeat in (session.heartbeat for session in log.sessions):
            assert heartbeat["opened_at"] == heartbeat["since"] == heartbeat["resumed_at"]
            assert heartbeat["at"] == heartbeat["active_at"]

    def test_the_first_piece_keeps_the_id_the_session_had_while_it_was_short(self) -> None:
        assert ids(self._log("6/9")) == ids(self._log("8/1"))[:1]

    def test_a_piece_is_never_taken_for_a_session_opened_at_its_cut(self) -> None:
        cut = [" 8:10:00 (lmgrd) TIMESTAMP 6/9/2022", f" 8:10:00 {OUT}", " 9:00:00 (lmgrd) x"]
        log = read(START, f" 8:10:00 {OUT}", *cut)
        assert len(log.sessions) == len(set(ids(log))) == 3


class TestRefusals:
    UNSUPPORTED = (
        ' 8:42:42 (adskflex) UNSUPPORTED: "INV" (00B0 EF6E AFC6 B280 ) jana@ws-1  (No such feature exists. (-5,346))'
    )
    DENIED = ' 8:43:00 (adskflex) DENIED: "ACD" jana novak@ws-2  (Licensed number of users reached. (-4,342:10054 ""))'

    def test_denied_and_unsupported_requests_are_kept_with_their_reason(self) -> None:
        log = read(START, self.UNSUPPORTED, self.DENIED)
        assert [(d.kind, iso(d.at), d.feature, d.user, d.host, d.reason, d.line) for d in log.denials] == [
            ("unsupported", "2022-05-05T08:42:42Z", "INV", "jana", "ws-1", "No such feature exists. (-5,346)", 2),
            (
                "denied",
                "2022-05-05T08:43:00Z",
                "ACD",
                "jana novak",
                "ws-2",
                'Licensed number of users reached. (-4,342:10054 "")',
                3,
            ),
        ]
        assert log.sessions == ()

    def test_each_denial_has_an_id_that_overlapping_files_share(self) -> None:
        twice = [START, self.DENIED, self.DENIED, " 9:00:00 (lmgrd) x"]
        whole, overlapping = read_files(twice), read_files(twice, twice)
        assert len({denial.id for denial in whole.denials}) == 2
        assert [denial.id for denial in overlapping.denials] == [denial.id for denial in whole.denials]


class TestRotatedFiles:
    WHOLE = (
        START,
        f" 8:10:00 {OUT}",
        '11:33:41 (adskflex) OUT: "INV" eva@ws-2',
        '11:33:41 (adskflex) OUT: "INV_2022" eva@ws-2',
        '11:33:41 (adskflex) OUT: "INV" eva@ws-2',
        '11:33:41 (adskflex) OUT: "INV_2022" eva@ws-2',
        "14:00:00 (lmgrd) TIMESTAMP 5/5/2022",
        f"15:00:00 {IN}",
        '15:10:00 (adskflex) IN: "INV" eva@ws-2',
        "20:00:00 (lmgrd) TIMESTAMP 5/5/2022",
        '20:30:00 (adskflex) IN: "INV" eva@ws-2',
    )

    def test_equal_lines_of_one_second_in_one_file_are_distinct_events(self) -> None:
        log = read(*self.WHOLE)
        assert Counter(session.heartbeat["product"] for session in log.sessions) == {"ACD": 1, "INV": 2, "INV_2022": 2}
        assert len(set(ids(log))) == 5

    def test_the_same_file_given_twice_adds_nothing(self) -> None:
        assert _timeless(read_files(self.WHOLE, self.WHOLE)) == _timeless(read(*self.WHOLE))

    def test_overlapping_files_in_any_order_are_the_whole_log(self) -> None:
        for first_end in range(7, 11):
            for second_start in range(1, first_end):
                first, second = self.WHOLE[:first_end], self.WHOLE[second_start:]
                if not any("TIMESTAMP" in line for line in first[second_start:]):
                    continue
                assert _timeless(read_files(second, first)) == _timeless(read(*self.WHOLE))

    def test_a_cut_between_equal_lines_of_one_second_loses_neither(self) -> None:
        first, second = self.WHOLE[:5], self.WHOLE[4:]
        assert _timeless(read_files(second, first)) == _timeless(read(*self.WHOLE))

    def test_files_are_joined_by_date_before_any_overlap_is_judged(self) -> None:
        first, second, third = self.WHOLE[:5], self.WHOLE[4:10], self.WHOLE[8:]
        assert _timeless(read_files(third, first, second)) == _timeless(read(*self.WHOLE))

    def test_a_file_that_begins_with_a_late_line_is_joined_where_it_belongs(self) -> None:
        pair = ['11:33:41 (adskflex) OUT: "INV" eva@ws-2', '11:33:41 (adskflex) OUT: "INV_2022" eva@ws-2']
        whole = ["11:33:43 (lmgrd) TIMESTAMP 5/5/2022", *pair, *pair, "12:00:00 (adskflex) TIMESTAMP 5/5/2022"]
        assert len(read(*whole).sessions) == 4
        assert _timeless(read_files(whole[:3], whole[2:])) == _timeless(read(*whole))

    def test_interleaving_does_not_put_an_in_before_its_out_where_a_clock_was_set_back(self) -> None:
        daemon = [" 8:05:00 (a) TIMESTAMP 5/5/2022", f" 8:10:00 {OUT}", f" 8:09:58 {IN}"]
        log = read_files([START, "10:30:00 (lmgrd) x"], daemon)
        assert spans(log) == [("jana", "2022-05-05T08:10:00Z", "2022-05-05T08:10:00Z", "close")]

    def test_interleaving_keeps_the_order_of_the_lines_of_each_file(self) -> None:
        server = [START, " 8:10:05 (lmgrd) x", f" 8:10:03 {OUT}", " 9:00:00 (lmgrd) x"]
        daemon = [f" 8:10:03 {OUT}", f" 8:10:04 {IN}", " 8:20:00 (a) TIMESTAMP 5/5/2022"]
        assert spans(read_files(server, daemon)) == [("jana", "2022-05-05T08:10:03Z", "2022-05-05T08:10:04Z", "close")]

    def test_files_with_other_line_ends_are_the_same_lines(self) -> None:
        crlf, unix = ([line.encode() + end for line in self.WHOLE] for end in (b"  \r\n", b"\n"))
        log = read_flexnet([("a.log", crlf), ("b.log", unix)], account="acme")
        assert _timeless(log) == _timeless(read(*self.WHOLE))

    def test_a_session_opened_in_one_file_is_closed_by_the_next(self) -> None:
        log = read_files(["14:00:00 (lmgrd) TIMESTAMP 5/6/2022", f"15:00:00 {IN}"], [START, f" 8:10:00 {OUT}"])
        assert spans(log) == [("jana", "2022-05-05T08:10:00Z", "2022-05-06T15:00:00Z", "close")]
        assert [(session.source, session.line) for session in log.sessions] == [("2.log", 2)]

    def test_logs_that_the_daemons_keep_apart_are_interleaved_by_time(self) -> None:
        restart = "11:00:00 (lmgrd) FlexNet Licensing (v11.18.0.0) started on srv (IBM PC) (5/5/2022)"
        daemon = [" 8:05:00 (a) TIMESTAMP 5/5/2022", f" 8:10:00 {OUT}", f"10:00:00 {OUT}", f"12:00:00 {IN}"]
        log = read_files(daemon, [START, "10:30:00 (lmgrd) x", restart])
        assert [(end, state) for *_, end, state in spans(log)] == [("2022-05-05T10:30:00Z", "close")] * 2

    def test_files_that_are_no_slices_of_one_log_share_their_equal_lines(self) -> None:
        without = [line for line in self.WHOLE if line != f"15:00:00 {IN}"]
        log = read_files(without, self.WHOLE[6:], self.WHOLE[:8])
        assert _timeless(log) == _timeless(read(*self.WHOLE))

    def test_of_files_that_do_not_touch_the_next_is_read_when_the_one_before_is_done(self) -> None:
        first = Readings([START, f" 8:10:00 {OUT}", f" 9:00:00 {IN}"])
        second = Readings(["10:00:00 (lmgrd) TIMESTAMP 5/5/2022", f"11:00:00 {OUT}", f"12:00:00 {IN}"])
        touching = Readings([" 9:00:00 (lmgrd) TIMESTAMP 5/5/2022", f"11:00:00 {OUT}", f"12:00:00 {IN}"])
        for other, readings in ((second, 1), (touching, 2)):
            first.begun = 0
            items = FlexnetReader("acme").items([("1.log", first), ("2.log", other)])
            assert isinstance(next(items), LoggedHeartbeat)
            assert other.begun == readings
            assert len([*items]) == 1
            assert other.begun == 2

    def test_what_is_written_while_several_files_are_read_is_left_for_another_run(self) -> None:
        grown = Readings(
            [START, f" 8:10:00 {OUT}", " 9:00:00 (lmgrd) x"], later=[f"10:00:00 {IN}", "11:00:00 (vd) OUT:"]
        )
        later = Readings(["12:00:00 (lmgrd) TIMESTAMP 5/5/2022"])
        log = read_flexnet([("1.log", grown), ("2.log", later)], account="acme")
        assert [span[2:] for span in spans(log)] == [("2022-05-05T12:00:00Z", "beat")]
        assert log.broken == ()

    def test_lines_that_can_be_read_only_once_are_kept_where_there_are_several_files(self) -> None:
        first, second = (START, f" 8:10:00 {OUT}"), (" 9:00:00 (lmgrd) TIMESTAMP 5/5/2022", f"10:00:00 {IN}")
        sources = [(name, iter([line.encode() for line in lines])) for name, lines in (("1", first), ("2", second))]
        assert spans(read_flexnet(sources, account="acme")) == spans(read_files(first, second))

    def test_an_unreadable_line_that_two_files_share_is_reported_once(self) -> None:
        lines = [START, ' 8:10:00 (a) OUT: "ACD" nobody', " 8:20:00 (lmgrd) x"]
        assert [(b.source, b.line) for b in read_files(lines, lines).broken] == [("1.log", 2)]


def _timeless(log: FlexnetLog) -> tuple[object, ...]:
    """What a log says, without the file and line that said it."""
    denials = [denial.id for denial in log.denials]
    return [session.heartbeat for session in log.sessions], denials, len(log.unmatched_ins), log.first_at, log.last_at


class TestBrokenLines:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (' 9:00:00 (a) OUT: "ACD" jana', "OUT without a readable user@host"),
            (' 9:00:00 (a) OUT: "ACD"', "OUT without a readable user@host"),
            (' 9:00:00 (a) IN: "ACD" @ws-1', "IN without a readable user@host"),
            (' 9:00:00 (a) DENIED: "ACD" jana@ ', "DENIED without a readable user@host"),
            (" 9:00:00 (a) OUT:", "OUT without a readable feature"),
            (' 9:00:00 (a) OUT: "" jana@ws-1', "OUT without a readable feature"),
            ('25:61:00 (a) OUT: "ACD" jana@ws-1', "25:61:00 is not a time of day"),
            ('(a) OUT: "ACD" jana@ws-1', "an event without a readable clock"),
            ('33:41 (a) OUT: "ACD" jana@ws-1', "an event without a readable clock"),
            (' 9:00:00 (a) OUT: "ACD" ja\x07na@ws-1', "the user holds a control character"),
            (' 9:00:00 (a) OUT: "ACD" jana@' + "w" * 201, "the host is longer than 200 characters"),
            (' 9:00:00 (a) OUT: "ACD" jana@ws-1  (0 licenses)', "0 licenses"),
            (' 9:00:00 (a) OUT: "ACD" jana@ws-1  (99999999999 licenses)', "99999999999 licenses"),
            (" 9:00:00 (lmgrd) TIMESTAMP 13/45/2022", "'13/45/2022' is not a date m/d/yyyy"),
            (" 9:00:00 (lmgrd) TIMESTAMP 5/5/1970", "'5/5/1970' is not a date m/d/yyyy"),
            (" 9:00:00 (lmgrd) TIMESTAMP", "'' is not a date m/d/yyyy"),
        ],
    )
    def test_a_line_that_cannot_be_read_is_reported_with_its_number(self, line: str, reason: str) -> None:
        log = read(START, f" 8:10:00 {OUT}", line, f" 9:30:00 {IN}")
        (broken,) = log.broken
        assert (broken.source, broken.line, broken.raw) == ("1.log", 3, line.encode() + b"\r\n")
        assert broken.reason.startswith(reason)
        assert spans(log) == [("jana", "2022-05-05T08:10:00Z", "2022-05-05T09:30:00Z", "close")]

    def test_bytes_of_no_known_encoding_in_a_name_are_reported_and_elsewhere_ignored(self) -> None:
        lines = [START.encode(), b' 8:10:00 (a) OUT: "ACD" ja\x81\xffna@ws-1', b" 8:11:00 (a) path \x81\xff"]
        log = read_flexnet([("x.log", lines)], account="acme")
        assert [broken.line for broken in log.broken] == [2]
        assert "neither UTF-8 nor Windows-1252" in log.broken[0].reason

    def test_chatter_is_ignored_but_its_clock_counts(self) -> None:
        log = read(
            " 7:59:59 (lmgrd) -----------------------------------------------",
            " 7:59:59 (lmgrd) ",
            START,
            "",
            "   (the log continues)",
            " 8:00:01 (adskflex) Server started on srv for: ACD INV",
            " 8:00:02 (adskflex) (@adskflex-SLOG@) Start-Date: Thu May 05 2022 08:00:02 CEST",
            " 8:00:02 (adskflex) (@adskflex-SLOG@) started on srv (x) (1/1/2021)",
            " 8:00:04 (lmgrd) TCP_NODELAY NOT enabled",
            " 8:00:05 (lmgrd) Done rereading",
        )
        assert (log.sessions, log.broken, log.denials) == ((), (), ())
        assert (iso(log.first_at), iso(log.last_at)) == ("2022-05-05T07:59:59Z", "2022-05-05T08:00:05Z")

    @pytest.mark.parametrize(
        ("lines", "reason"),
        [
            ([], "no line has the form"),
            (["a,b,c", "1,2,3"], "no line has the form"),
            ([f" 8:10:00 {OUT}", f" 8:20:00 {IN}"], "no line states a date"),
            ([" 9:00:00 (lmgrd) TIMESTAMP 13/45/2022"], "no line"),
        ],
    )
    def test_a_file_that_is_no_debug_log_or_has_no_date_is_refused(self, lines: list[str], reason: str) -> None:
        with pytest.raises(InputError, match=reason) as refused:
            read_files([START], lines)
        assert refused.value.place == "2.log"
        assert refused.value.remedy

    def test_no_file_at_all_is_refused(self) -> None:
        with pytest.raises(InputError, match="no file was given"):
            read_flexnet([], account="acme")


def _real(name: str) -> list[bytes]:
    path = REAL_LOGS / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the project (shared/data/flexnet)")
    return path.read_bytes().splitlines(keepends=True)


def _peaks(log: FlexnetLog, *, slot_ms: int, opening_slot_counts: bool, min_use_ms: int) -> Counter[tuple[str, str]]:
    """Peak of (product, quarter) by RULES 3, worked out here from its words."""
    machines: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for heartbeat in (session.heartbeat for session in log.sessions):
        opened_at, end_at = int(heartbeat["opened_at"]), int(heartbeat["at"])
        if end_at - opened_at < min_use_ms or (heartbeat["state"] == "close" and end_at == opened_at):
            continue
        last_used_at = end_at - 1 if heartbeat["state"] == "close" else end_at
        for slot in range(opened_at // slot_ms, last_used_at // slot_ms + 1):
            if opening_slot_counts or slot != opened_at // slot_ms:
                machines[str(heartbeat["product"]), slot].add(str(heartbeat["machine"]).casefold())
    peaks: Counter[tuple[str, str]] = Counter()
    for (product, slot), names in machines.items():
        quarter = Period.containing(slot * slot_ms).name
        peaks[product, quarter] = max(peaks[product, quarter], len(names))
    return peaks


class TestRealLogs:
    def test_the_log_of_2022_has_8402_sessions_two_of_them_open_to_its_end(self) -> None:
        log = read_flexnet([("2022.log", _real("autodesk-2022q2.log"))], account="acme")
        assert Counter(session.heartbeat["state"] for session in log.sessions) == {"close": 8400, "beat": 2}
        assert len(set(ids(log))) == 8402
        assert [denial.kind for denial in log.denials] == ["unsupported", "unsupported"]
        assert isinstance(log.denials[0], LoggedDenial)
        assert (log.broken, log.unmatched_ins, iso(log.last_at)) == ((), (), "2022-07-07T11:49:02Z")

    def test_the_log_of_2022_gives_the_peaks_of_the_ten_minute_policy(self) -> None:
        log = read_flexnet([("2022.log", _real("autodesk-2022q2.log"))], account="acme")
        peaks = _peaks(log, slot_ms=600_000, opening_slot_counts=False, min_use_ms=600_000)
        assert (peaks["64300ACD_F", "2022Q2"], peaks["64801INVPROSA_F", "2022Q2"]) == (146, 36)

    def test_the_log_of_2016_gives_its_sessions_and_the_peak_of_the_hour_policy(self) -> None:
        log = read_flexnet([("2016.log", _real("autodesk-2016-04.log"))], account="acme")
        assert len(log.sessions) == 1918
        peaks = _peaks(log, slot_ms=3_600_000, opening_slot_counts=True, min_use_ms=0)
        assert peaks["64300ACD_F", "2016Q1"] == 12

    def test_the_log_of_2022_rotated_at_any_length_gives_the_same_sessions(self) -> None:
        raws = _real("autodesk-2022q2.log")
        whole = read_flexnet([("2022.log", raws)], account="acme")
        for length, overlap in ((4000, 400), (1500, 200)):
            pieces = [(f"{start}.log", raws[start : start + length + overlap]) for start in range(0, len(raws), length)]
            assert _timeless(read_flexnet(pieces[::-1], account="acme")) == _timeless(whole)

    def test_two_equal_checkouts_of_one_second_in_the_log_of_2022_are_two_sessions(self) -> None:
        log = read_flexnet([("2022.log", _real("autodesk-2022q2.log"))], account="acme")
        second = at("2022-05-05T11:33:41")
        opened = [s.heartbeat["product"] for s in log.sessions if s.heartbeat["opened_at"] == second]
        assert opened == ["64801INVPROSA_F", "87537INVPROSA_2022_0F"] * 2
