"""Laws of the fold (RULES 1): min, max and union do not depend on how evidence arrives."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.evidence import Heartbeat, SessionClose, SessionDay
from pipeline.model.instants import BASE_SLOT_MS, DAY_MS
from pipeline.rules.evidence.merge import UsageFold, fold, slot_mask, slots_of
from pipeline.rules.evidence.sessions import sessions
from tests.support.evidence.evidence_shorthand import merged
from tests.support.evidence.random_fleets import Fleet, fleets
from tests.support.laws import examples

some_fleets = fleets(sessions_max=5)
few = settings(max_examples=examples(40))


def folded(heartbeats: Sequence[Heartbeat]) -> UsageFold:
    usage = UsageFold()
    for heartbeat in heartbeats:
        usage.add(heartbeat, 0)
    return usage


@few
@given(some_fleets, st.randoms(use_true_random=False), st.lists(st.integers(0, 5), max_size=5))
def test_order_and_repetition_change_nothing(fleet: Fleet, chance: st.DataObject, repeated: list[int]) -> None:
    delivered = [*fleet.heartbeats, *(fleet.heartbeats[index % len(fleet.heartbeats)] for index in repeated)]
    mixed = sorted(delivered, key=lambda _: chance.random())  # type: ignore[attr-defined]  # a Random drawn by hypothesis
    assert fold(mixed) == fold(fleet.heartbeats)


@few
@given(some_fleets, st.data())
def test_partial_folds_merge_to_the_same_result(fleet: Fleet, data: st.DataObject) -> None:
    parts: list[list[Heartbeat]] = [[], [], []]
    for heartbeat in fleet.heartbeats:
        parts[data.draw(st.integers(0, 2))].append(heartbeat)
    order = data.draw(st.permutations(range(3)))
    assert merged(day for part in order for day in fold(parts[part])) == fold(fleet.heartbeats)


@few
@given(some_fleets, st.data())
def test_a_crash_and_a_replay_change_nothing(fleet: Fleet, data: st.DataObject) -> None:
    stored: list[SessionDay] = []
    acknowledged, heartbeats = 0, fleet.heartbeats
    while acknowledged < len(heartbeats):
        flushed = data.draw(st.integers(acknowledged + 1, len(heartbeats)))
        stored += fold(heartbeats[acknowledged:flushed])
        acknowledged = data.draw(st.integers(acknowledged + (flushed == len(heartbeats)), flushed))
    assert merged(stored) == fold(heartbeats)
    assert merged([*stored, *fold(heartbeats)]) == fold(heartbeats)


@few
@given(some_fleets, some_fleets, some_fleets)
def test_merging_is_associative_commutative_and_idempotent(first: Fleet, two: Fleet, three: Fleet) -> None:
    a, b, c = fold(first.heartbeats), fold(two.heartbeats), fold(three.heartbeats)
    assert merged([*merged([*a, *b]), *c]) == merged([*a, *merged([*b, *c])])
    assert merged([*a, *b]) == merged([*b, *a])
    assert merged([*a, *a]) == merged(a) == a


@few
@given(some_fleets)
def test_the_latest_close_is_kept_in_any_order(fleet: Fleet) -> None:
    closes = [
        SessionClose(day.session, at.at) for day, at in zip(fold(fleet.heartbeats), fleet.heartbeats, strict=False)
    ]
    forwards, backwards = UsageFold(), UsageFold()
    for close in closes:
        forwards.merge_close(close)
    for close in [*reversed(closes), *closes]:
        backwards.merge_close(close)
    assert set(forwards.closes()) == set(backwards.closes())
    assert all(
        close.closed_at == max(c.closed_at for c in closes if c.session == close.session) for close in forwards.closes()
    )


def is_bare_close(heartbeat: Heartbeat) -> bool:
    """A close that carries no evidence: it only ends live views."""
    return heartbeat.state == "close" and heartbeat.since == heartbeat.at


@few
@given(some_fleets)
def test_used_slots_are_exactly_those_that_evidence_touches(fleet: Fleet) -> None:
    touched = {
        (heartbeat[:7], slot)
        for heartbeat in fleet.heartbeats
        if not is_bare_close(heartbeat)
        for slot in range(
            heartbeat.since // BASE_SLOT_MS, (heartbeat.at - (heartbeat.state == "close")) // BASE_SLOT_MS + 1
        )
    }
    used = {
        (tuple(day.session), day.day * 144 + slot)
        for day in fold(fleet.heartbeats)
        for slot in slots_of(day.used_slots)
    }
    assert used == touched


@few
@given(some_fleets)
def test_a_session_spans_its_heartbeats_with_evidence(fleet: Fleet) -> None:
    by_key = {tuple(session.key): session for session in sessions(fold(fleet.heartbeats))}
    for key, session in by_key.items():
        evidence = [
            heartbeat for heartbeat in fleet.heartbeats if heartbeat[:7] == key and not is_bare_close(heartbeat)
        ]
        assert session.opened_at == min(heartbeat.opened_at for heartbeat in evidence)
        assert session.last_at == max(heartbeat.at for heartbeat in evidence)
    assert set(by_key) == {heartbeat[:7] for heartbeat in fleet.heartbeats if not is_bare_close(heartbeat)}


@few
@given(some_fleets)
def test_stretches_are_kept_with_the_day_of_the_last_used_slot(fleet: Fleet) -> None:
    kept: dict[tuple[tuple[str, ...], int, int], int] = {}
    for heartbeat in fleet.heartbeats:
        if not is_bare_close(heartbeat):
            key = (heartbeat[:7], (heartbeat.at - (heartbeat.state == "close")) // DAY_MS, heartbeat.resumed_at)
            kept[key] = max(kept.get(key, 0), heartbeat.active_at)
    stored = {
        (tuple(day.session), day.day, resumed_at): active_at
        for day in fold(fleet.heartbeats)
        for resumed_at, active_at in day.stretches.items()
    }
    assert stored == kept


@given(st.sets(st.integers(0, 143)))
def test_a_bit_set_returns_its_slots_in_order(slots: set[int]) -> None:
    assert [*slots_of(sum(1 << slot for slot in slots))] == sorted(slots)


@settings(max_examples=examples(30))
@given(st.integers(0, 143), st.integers(0, 143))
def test_a_mask_holds_the_slots_from_first_to_last(one_end: int, other: int) -> None:
    first, last = sorted((one_end, other))
    assert [*slots_of(slot_mask(first, last))] == [*range(first, last + 1)]
