"""A feature's summary, worked out by hand."""

from __future__ import annotations

from datetime import date

from pipeline.model.instants import HOUR_MS, MINUTE_MS, at_midnight
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import Session, sessions
from pipeline.rules.summary.feature_summary import FeatureSummary, LicenseRequest, summarize_features
from tests.support.evidence.evidence_shorthand import heartbeat, instant

POLICY = metering_catalogue()["bentley-select"].at(at_midnight(date(2016, 4, 1)))


def session(since: str, at: str, user: str, machine: str = "", usage: str = "production", name: str = "F1") -> Session:
    """A session of 3 May 2022, open and in use from ``since`` to ``at``."""
    use = heartbeat(
        instant(f"2022-05-03 {since}"),
        instant(f"2022-05-03 {at}"),
        state="close",
        product=name,
        user=user,
        machine=machine or f"ws-{user}",
        session=f"{since}-{user}-{machine}",
        usage=usage,
    )
    [folded] = sessions(fold([use]))
    return folded


def test_a_feature_by_hand() -> None:
    summaries = summarize_features(
        [
            session("08:00", "09:00", "ann"),  # counts 08:10 to 08:50
            session("08:25", "08:45", "bob"),  # 08:30 and 08:40
            session("08:30", "09:30", "ann", name="F1", machine="ws-ann"),  # the same machine, half of it at once
            session("08:41", "08:49", "cy"),  # under ten minutes
            session("08:00", "09:00", "dee", usage="trial"),
        ],
        [
            LicenseRequest("denied", "F1", "eve", instant("2022-05-03 08:35")),
            LicenseRequest("denied", "F1", "cy", instant("2022-05-03 08:35")),  # had one six minutes later
            LicenseRequest("queued", "F1", "eve", instant("2022-05-03 08:36")),
        ],
        POLICY,
    )
    assert summaries == [
        FeatureSummary(
            feature="F1",
            peak=2,
            peak_at=instant("2022-05-03 08:30"),
            slots_at_peak=2,
            slots_counted=8,
            users=3,
            open_ms=90 * MINUTE_MS + 20 * MINUTE_MS + 8 * MINUTE_MS,
            sessions=4,
            brief_sessions=1,
            true_denials=1,
        )
    ]


def test_a_span_cuts_hours_and_takes_sessions_by_their_opening() -> None:
    noon = instant("2022-05-03 12:00")
    use = [session("11:00", "13:00", "ann")]
    [before] = summarize_features(use, None, POLICY, until_at=noon)
    [after] = summarize_features(use, None, POLICY, from_at=noon)
    assert (before.open_ms, before.sessions, before.slots_counted) == (HOUR_MS, 1, 5)
    assert (after.open_ms, after.sessions, after.slots_counted, after.users) == (HOUR_MS, 0, 6, 1)
    assert before.true_denials is None


def test_features_of_one_product_count_a_machine_once() -> None:
    use = [session("11:00", "11:30", "ann", name="F1"), session("11:00", "11:30", "ann", name="F1_2022")]
    names = {"F1": "P", "F1_2022": "P"}
    [summary] = summarize_features(use, [], POLICY, product_of=names)
    assert (summary.feature, summary.peak, summary.open_ms, summary.sessions) == ("P", 1, HOUR_MS // 2, 2)


def test_a_session_given_back_at_once_is_one_under_the_minimum_and_answers_a_denial() -> None:
    at = instant("2022-05-03 08:00")
    key = session("07:00", "07:30", "ann").key
    summaries = summarize_features([Session(key, at, at, {}, {})], [LicenseRequest("denied", "F1", "ann", at)], POLICY)
    assert summaries == [FeatureSummary("F1", 0, None, 0, 0, 1, 0, 1, 1, 0)]


def test_a_feature_that_was_only_refused_is_listed() -> None:
    [summary] = summarize_features(
        [], [LicenseRequest("unsupported", "F9", "ann", instant("2022-05-03 08:00"))], POLICY
    )
    assert (summary.feature, summary.peak, summary.users, summary.true_denials) == ("F9", 0, 0, 1)


def test_a_machine_is_open_once_however_its_sessions_overlap() -> None:
    use = [session("08:00", "09:00", "ann"), session("08:10", "08:20", "ann"), session("08:50", "09:10", "ann")]
    [summary] = summarize_features([*use, session("09:20", "09:30", "ann")], None, POLICY)
    assert summary.open_ms == 80 * MINUTE_MS
