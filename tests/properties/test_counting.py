"""Laws of counting (RULES 3 and 4)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.contracts import Contract
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import MINUTE_MS, Period
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.explain.slot_explanation import explain_slot
from pipeline.rules.pool.term_licenses import term_licenses_due
from tests.support.evidence.evidence_shorthand import beating, heartbeat, instant
from tests.support.evidence.random_fleets import Fleet, contracts, fleets, pure_counts, reading_of
from tests.support.laws import examples

TEN_MINUTES = reading_of(Contract("acme", "CZ", "EUR", "sha256:0"))
QUARTER = Period.parse("2022Q2")

lengths = st.integers(0, 45 * MINUTE_MS) | st.integers(0, 9).map(lambda tens: tens * 5 * MINUTE_MS)
gaps = st.just(0) | st.integers(0, 30 * MINUTE_MS)


@given(
    st.lists(st.tuples(gaps, lengths, st.sampled_from("abc"), st.booleans()), min_size=2, max_size=12),
    st.integers(0, 600_000),
)
def test_consecutive_sessions_never_give_a_count_of_2(runs: list[tuple[int, int, str, bool]], offset_ms: int) -> None:
    heartbeats, at = list[Heartbeat](), instant("2022-05-03 08:00") + offset_ms
    for number, (gap_ms, length_ms, machine, is_closed) in enumerate(runs):
        opened_at = at + gap_ms
        at = opened_at + length_ms
        state = "close" if is_closed else "beat"
        heartbeats += beating(heartbeat(opened_at, at, machine=machine, session=f"s{number}", state=state))
    counts = pure_counts(TEN_MINUTES, fold(heartbeats), QUARTER).get(("MSTN", "CZ"), {})
    assert max(counts.values(), default=0) <= 1


@settings(max_examples=examples(50))
@given(fleets(sessions_max=8), st.data())
def test_late_evidence_never_lowers_a_count(fleet: Fleet, data: st.DataObject) -> None:
    reading = reading_of(data.draw(contracts(fleet.turn_at)))
    late = data.draw(st.sets(st.integers(0, len(fleet.heartbeats) - 1)))
    early = [heartbeat for index, heartbeat in enumerate(fleet.heartbeats) if index not in late]
    for period in fleet.periods:
        before, after = (pure_counts(reading, fold(heartbeats), period) for heartbeats in (early, fleet.heartbeats))
        assert all(count <= after[pool][at] for pool, slots in before.items() for at, count in slots.items())


@settings(max_examples=examples(40))
@given(fleets(sessions_max=8), st.data())
def test_explanations_list_as_many_units_as_counted_and_a_reason_for_other_sessions(
    fleet: Fleet, data: st.DataObject
) -> None:
    reading, used = reading_of(data.draw(contracts(fleet.turn_at))), sessions(fold(fleet.heartbeats))
    for period in fleet.periods:
        for (product, country), slots in pure_counts(reading, fold(fleet.heartbeats), period).items():
            for slot_at in data.draw(st.lists(st.sampled_from(sorted(slots)), max_size=5)):
                explained = explain_slot(reading, product, country, slot_at, used)
                assert (explained.slot_at, explained.count) == (slot_at, slots[slot_at])
                shown = [session for unit in explained.units for session in unit.sessions]
                shown += [left_out.session for left_out in explained.uncounted]
                assert len(shown) == len({session.key for session in shown})
                assert all(left_out.reason != "counted" for left_out in explained.uncounted)


@given(st.dictionaries(st.integers(18_000, 18_090), st.integers(1, 6), max_size=12), st.integers(0, 6))
def test_term_licences_are_the_largest_overuse_of_more_days_than_tolerated(
    overuse_by_day: dict[int, int], tolerance_days: int
) -> None:
    reached = [k for k in range(1, 7) if sum(over >= k for over in overuse_by_day.values()) > tolerance_days]
    assert term_licenses_due(overuse_by_day, tolerance_days) == max(reached, default=0)
