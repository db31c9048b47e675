"""Sessions held as columns, and summed up feature by feature, are the sessions folded and summed up at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import blake2b

from hypothesis import given
from hypothesis import strategies as st

from pipeline.embedded.file_evidence import FileEvidence
from pipeline.embedded.heard_sessions import FoldedSessions, LoggedSessions, sessions_of
from pipeline.model.evidence import PRODUCTION, Heartbeat
from pipeline.model.instants import DAY_MS, MINUTE_MS, Period
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.evidence.merge import UsageFold
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.evidence.true_denials import ANSWERED_WITHIN_MS
from pipeline.rules.summary.feature_pairs import feature_pairs
from pipeline.rules.summary.feature_summary import LicenseRequest, summarize_features
from pipeline.store.letters import Letters

QUARTER = Period.parse("2022Q2")
POLICY = metering_catalogue()["bentley-select"].at(QUARTER.start_at)
FEATURES = ("A", "A_2022", "B")
NAMES = {"A_2022": "A"}


def heartbeat(
    feature: str, user: str, machine: str, opened_at: int, length_ms: int, state: str, ordinal: int
) -> Heartbeat:
    """A session of a server's log. Logs of two servers may tell of the same one, and of different ends of it."""
    number = blake2b(repr((feature, user, machine, opened_at, ordinal)).encode(), digest_size=16).hexdigest()
    at = opened_at + length_ms
    times = opened_at, opened_at, at, opened_at, at
    return Heartbeat("acme", feature, "", PRODUCTION, machine, user, number, state, *times, "", "", "")


TIMES = st.one_of(
    st.sampled_from([QUARTER.start_at, QUARTER.end_at]).flatmap(
        lambda edge: st.integers(-2, 2).map(lambda step: edge + step * 5 * MINUTE_MS)
    ),
    st.integers(QUARTER.start_at - DAY_MS, QUARTER.start_at + DAY_MS),
)
LENGTHS = st.one_of(st.integers(0, 3).map(lambda slots: slots * 5 * MINUTE_MS), st.integers(0, 3 * DAY_MS))
HEARTBEATS = st.lists(
    st.builds(
        heartbeat, st.sampled_from(FEATURES), st.sampled_from(["ann", "bob"]), st.sampled_from(["ws-1", "ws-2"]), TIMES,
        LENGTHS, st.sampled_from(["beat", "close", "close"]), st.integers(0, 1),
    ),
    max_size=12,
)  # fmt: skip
REQUESTS = st.lists(
    st.builds(
        LicenseRequest, st.sampled_from(["denied", "unsupported", "queued"]), st.sampled_from([*FEATURES, "C"]),
        st.sampled_from(["ann", "bob"]), TIMES,
    ),
    max_size=6,
)  # fmt: skip
SPANS = st.sampled_from([(QUARTER.start_at, QUARTER.end_at), (QUARTER.start_at - 40 * DAY_MS, QUARTER.end_at + DAY_MS)])


def logged(heartbeats: list[Heartbeat]) -> LoggedSessions:
    heard = LoggedSessions("acme")
    for each in heartbeats:
        heard.add(each)
    return heard


def folded(heartbeats: list[Heartbeat]) -> FoldedSessions:
    heard = FoldedSessions()
    for each in heartbeats:
        heard.add(each)
    return heard


def whole(heartbeats: list[Heartbeat]) -> list[Session]:
    usage = UsageFold()
    for each in heartbeats:
        usage.add(each, 0)
    return sessions_of(usage)


def content(sessions: list[Session]) -> list[Session]:
    """Sessions in order; columns keep half of each id."""
    shortened = (replace(each, key=each.key._replace(session=each.key.session[:16])) for each in sessions)
    return sorted(shortened, key=lambda session: session.key)


@given(HEARTBEATS)
def test_columns_hold_the_sessions_that_a_fold_holds(heartbeats: list[Heartbeat]) -> None:
    every = whole(heartbeats)
    for heard in (logged(heartbeats), folded(heartbeats)):
        assert content([*heard.of(FEATURES, 0, 2 * QUARTER.end_at)]) == content(every)
        assert heard.features() == {session.key.product for session in every}
        assert heard.accounts() == {session.key.account for session in every}
        checkouts = Counter(
            (key.product, key.user, key.machine, each.opened_at) for each in every for key in [each.key]
        )
        assert Counter(map(tuple, heard.checkouts())) == checkouts
        instants = [checkout.at for checkout in heard.checkouts()]
        assert instants == sorted(instants)
        span = (min(each.opened_at for each in every), max(each.last_at for each in every)) if every else None
        assert heard.span() == span
    assert feature_pairs(logged(heartbeats).checkouts()) == feature_pairs(folded(heartbeats).checkouts())


@given(HEARTBEATS, st.none() | REQUESTS, SPANS, st.sampled_from([None, NAMES]))
def test_features_summed_up_one_by_one_are_those_summed_up_at_once(
    heartbeats: list[Heartbeat],
    requests: list[LicenseRequest] | None,
    span: tuple[int, int],
    product_of: dict[str, str] | None,
) -> None:
    from_at, until_at = span
    at_once = summarize_features(
        whole(heartbeats), requests, POLICY, from_at=from_at, until_at=until_at, product_of=product_of
    )
    for heard in (logged(heartbeats), folded(heartbeats)):
        asked = None if requests is None else tuple(requests)
        evidence = FileEvidence(heard, asked, 0, 0, Letters({}, ()), ())
        assert evidence.summaries(POLICY, from_at=from_at, until_at=until_at, product_of=product_of) == at_once


def test_a_checkout_after_the_quarter_answers_a_denial_at_its_end() -> None:
    """Features are read only as far as a denial of the span may be answered."""
    for late_ms, true_denials in ((ANSWERED_WITHIN_MS - 1, []), (ANSWERED_WITHIN_MS, [1])):
        heard = logged([heartbeat("A", "ann", "ws-1", QUARTER.end_at + late_ms, DAY_MS, "close", 0)])
        asked = (LicenseRequest("denied", "A", "ann", QUARTER.end_at - 1),)
        evidence = FileEvidence(heard, asked, 0, 0, Letters({}, ()), ())
        summaries = evidence.summaries(POLICY, from_at=QUARTER.start_at, until_at=QUARTER.end_at)
        assert [summary.true_denials for summary in summaries] == true_denials
