"""Laws of charge windows: until settlement, order, duplicates and partitioning of evidence do not matter."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.contracts import Contract, Entitlement, Product, Replacement, TokenPack
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import DAY_MS, MINUTE_MS
from pipeline.policy.catalogue import metering_catalogue, token_catalogue
from pipeline.rules.people.coverage import Coverage
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.token_evidence import TokenEvidence
from tests.support.evidence.evidence_shorthand import heartbeat, instant, ways
from tests.support.laws import examples

START_AT = instant("2022-05-02 00:00")
CONTRACT = Contract(
    account="acme",
    country="CZ",
    currency="EUR",
    content_hash="",
    products={
        "ACD": Product("ACD", replaces=(Replacement("OLD", START_AT + DAY_MS, None),)),
        "MAYA": Product("MAYA", idle_detection="2020.2"),
    },
    entitlements=(
        Entitlement(("ACD",), "CZ", "flex", "autodesk-flex", 0, START_AT, START_AT + 2 * DAY_MS, daily_rate=7),
        Entitlement(("ACD",), "CZ", "flex", "autodesk-flex", 0, START_AT + 2 * DAY_MS, None, daily_rate=9),
        Entitlement(("MAYA",), "CZ", "flex", "autodesk-flex", 0, START_AT, START_AT + 4 * DAY_MS, daily_rate=6),
    ),
    token_packs=(
        TokenPack("A", "", "default", 20, START_AT - DAY_MS, None),
        TokenPack("B", "", "default", 30, START_AT - DAY_MS, None),
    ),
)
SEATS = (Coverage("ACD", "CZ", "single_user", "eva", START_AT + DAY_MS, START_AT + DAY_MS * 3 // 2),)
READING = TokenReading(ContractReading(CONTRACT, metering_catalogue()), token_catalogue(), SEATS)


@st.composite
def heartbeats(draw: st.DrawFn) -> list[Heartbeat]:
    """Heartbeats of two users over five days; some belong to the same session, some have pauses."""
    beats = []
    for _ in range(draw(st.integers(1, 8))):
        since = START_AT + draw(st.integers(0, 5 * 24 * 12)) * 5 * MINUTE_MS
        at = since + draw(st.sampled_from((4, 5, 6, 20, 90, 1_440, 2_000))) * MINUTE_MS
        resumed_at = draw(st.integers(since, at))
        beats.append(
            heartbeat(
                since,
                at,
                product=draw(st.sampled_from(("ACD", "OLD", "MAYA"))),
                user=draw(st.sampled_from(("eva", "petr"))),
                session=draw(st.sampled_from(("a", "b", "c"))),
                version=draw(st.sampled_from(("", "2020.1", "2020.10"))),
                resumed_at=resumed_at,
                active_at=draw(st.integers(resumed_at, at)),
            )
        )
    return beats


@settings(max_examples=examples(150), deadline=None)
@given(beats=heartbeats(), seed=st.integers(0, 9))
def test_entries_do_not_depend_on_the_arrival_of_evidence(beats: list[Heartbeat], seed: int) -> None:
    outcomes = []
    for _, days in ways(beats, seed):
        ledger, evidence = Ledger("acme"), TokenEvidence(READING)
        shuffled = [*days, *days[:2]]
        random.Random(seed).shuffle(shuffled)  # noqa: S311 -- a repeatable shuffle
        for day in shuffled:
            evidence.merge(day)
            if seed % 2:
                evidence.open_windows(ledger)
        entries = draft(ledger, CONTRACT, evidence, (), now=START_AT, complete_until=START_AT + 10 * DAY_MS)
        for posting in postings(ledger, entries):
            assert ledger.append(posting)
            evidence.posted(posting)
        outcomes.append(entries)
        assert not any(evidence.open_windows(ledger).values())
        for spans in ledger.settled.values():
            assert all(window.until_at <= other.from_at for window, other in pairwise(spans))
        for team in ledger.teams.values():
            assert team.granted == 50 == team.balance + team.debited + team.expired
    assert all(entries == outcomes[0] for entries in outcomes)


@settings(max_examples=examples(100), deadline=None)
@given(beats=heartbeats(), data=st.data())
def test_a_stretch_that_is_reported_with_several_beginnings_is_charged_once(
    beats: list[Heartbeat], data: st.DataObject
) -> None:
    again = [beat._replace(resumed_at=data.draw(st.integers(beat.resumed_at, beat.active_at))) for beat in beats]
    until_at = data.draw(st.integers(0, 10)) * DAY_MS + START_AT
    windows = []
    for reported in (beats, [*beats, *again]):
        ledger, evidence = Ledger("acme"), TokenEvidence(READING)
        for day in dict(ways(reported))["whole"]:
            evidence.merge(day)
        for complete_until in (until_at, START_AT + 10 * DAY_MS):
            entries = draft(ledger, CONTRACT, evidence, (), now=START_AT, complete_until=complete_until)
            for posting in postings(ledger, entries):
                assert ledger.append(posting)
                evidence.posted(posting)
        windows.append(ledger.settled)
    assert windows[0] == windows[1]


@settings(max_examples=examples(100), deadline=None)
@given(beats=heartbeats(), ticks=st.lists(st.integers(0, 10), min_size=1, max_size=4))
def test_charges_of_complete_evidence_do_not_depend_on_the_number_of_ticks(
    beats: list[Heartbeat], ticks: list[int]
) -> None:
    days = dict(ways(beats))["whole"]
    ledgers = []
    for until_days in (sorted({*ticks, 10}), [10]):
        ledger, evidence = Ledger("acme"), TokenEvidence(READING)
        for day in days:
            evidence.merge(day)
        for until in until_days:
            entries = draft(ledger, CONTRACT, evidence, (), now=START_AT, complete_until=START_AT + until * DAY_MS)
            for posting in postings(ledger, entries):
                assert ledger.append(posting)
                evidence.posted(posting)
        ledgers.append(ledger)
    assert ledgers[0].settled == ledgers[1].settled
    assert ledgers[0].teams == ledgers[1].teams
