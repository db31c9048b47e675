"""Laws of the fold (RULES 1): min, max and union, so that no way in which evidence arrives can change it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.evidence import Heartbeat, SessionClose, SessionDay, SessionKey
from pipeline.model.instants import BASE_SLOT_MS, DAY_MS, day_of
from pipeline.rules.evidence.columns import ColumnFold
from pipeline.rules.evidence.merge import UsageFold, fold, slot_mask, slots_of
from pipeline.rules.evidence.sessions import sessions
from tests.support.evidence.evidence_shorthand import merged
from tests.support.evidence.random_fleets import Fleet, fleets
from tests.support.laws import examples

some_fleets = fleets(sessions_max=5)
few = settings(max_examples=examples(40))


def folded(heartbeats: Sequence[Heartbeat]) -> UsageFold:
    usage = UsageFold()
    for one in heartbeats:
        usage.add(one, 0)
    return usage


@few
@given(some_fleets, st.randoms(use_true_random=False), st.lists(st.integers(0, 5), max_size=5))
def test_order_and_repetition_change_nothing(fleet: Fleet, chance: st.DataObject, repeated: list[int]) -> None:
    told = [*fleet.heartbeats, *(fleet.heartbeats[index % len(fleet.heartbeats)] for index in repeated)]
    mixed = sorted(told, key=lambda _: chance.random())  # type: ignore[attr-defined]  # a Random drawn by hypothesis
    assert fold(mixed) == fold(fleet.heartbeats)


@few
@given(some_fleets, st.data())
def test_any_split_over_folds_merges_to_the_same(fleet: Fleet, data: st.DataObject) -> None:
    parts: list[list[Heartbeat]] = [[], [], []]
    for one in fleet.heartbeats:
        parts[data.draw(st.integers(0, 2))].append(one)
    order = data.draw(st.permutations(range(3)))
    assert merged(day for part in order for day in fold(parts[part])) == fold(fleet.heartbeats)


@few
@given(some_fleets, st.data())
def test_crashing_anywhere_and_replaying_changes_nothing(fleet: Fleet, data: st.DataObject) -> None:
    stored: list[SessionDay] = []
    acknowledged, told = 0, fleet.heartbeats
    while acknowledged < len(told):
        flushed = data.draw(st.integers(acknowledged + 1, len(told)))
        stored += fold(told[acknowledged:flushed])
        acknowledged = data.draw(st.integers(acknowledged + (flushed == len(told)), flushed))
    assert merged(stored) == fold(told)
    assert merged([*stored, *fold(told)]) == fold(told)


@few
@given(some_fleets, some_fleets, some_fleets)
def test_merging_is_associative_commutative_and_idempotent(one: Fleet, two: Fleet, three: Fleet) -> None:
    a, b, c = fold(one.heartbeats), fold(two.heartbeats), fold(three.heartbeats)
    assert merged([*merged([*a, *b]), *c]) == merged([*a, *merged([*b, *c])])
    assert merged([*a, *b]) == merged([*b, *a])
    assert merged([*a, *a]) == merged(a) == a


@few
@given(some_fleets)
def test_the_latest_close_is_kept_whatever_the_order(fleet: Fleet) -> None:
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
        (one[:7], slot)
        for one in fleet.heartbeats
        if not is_bare_close(one)
        for slot in range(one.since // BASE_SLOT_MS, (one.at - (one.state == "close")) // BASE_SLOT_MS + 1)
    }
    found = {
        (tuple(day.session), day.day * 144 + slot)
        for day in fold(fleet.heartbeats)
        for slot in slots_of(day.used_slots)
    }
    assert found == touched


@few
@given(some_fleets)
def test_a_session_is_as_long_as_its_heartbeats_with_evidence_say(fleet: Fleet) -> None:
    found = {tuple(session.key): session for session in sessions(fold(fleet.heartbeats))}
    for key, session in found.items():
        told = [one for one in fleet.heartbeats if one[:7] == key and not is_bare_close(one)]
        assert session.opened_at == min(one.opened_at for one in told)
        assert session.last_at == max(one.at for one in told)
    assert set(found) == {one[:7] for one in fleet.heartbeats if not is_bare_close(one)}


@few
@given(some_fleets)
def test_stretches_are_kept_with_the_day_of_the_last_used_slot(fleet: Fleet) -> None:
    kept: dict[tuple[tuple[str, ...], int, int], int] = {}
    for one in fleet.heartbeats:
        if not is_bare_close(one):
            key = (one[:7], (one.at - (one.state == "close")) // DAY_MS, one.resumed_at)
            kept[key] = max(kept.get(key, 0), one.active_at)
    found = {
        (tuple(day.session), day.day, resumed_at): active_at
        for day in fold(fleet.heartbeats)
        for resumed_at, active_at in day.stretches.items()
    }
    assert found == kept


@given(st.sets(st.integers(0, 143)))
def test_a_bit_set_gives_its_slots_back_in_order(slots: set[int]) -> None:
    assert [*slots_of(sum(1 << slot for slot in slots))] == sorted(slots)


@settings(max_examples=examples(30))
@given(st.integers(0, 143), st.integers(0, 143))
def test_a_mask_holds_the_slots_from_first_to_last(one: int, other: int) -> None:
    first, last = sorted((one, other))
    assert [*slots_of(slot_mask(first, last))] == [*range(first, last + 1)]


def test_of_a_stretch_told_twice_in_columns_the_later_end_stays() -> None:
    columns, usage, midnight = ColumnFold(), UsageFold(), 18_000 * DAY_MS
    told = np.array([(0, 5, 9, 0, 9), (0, 5, 9, 0, 4), (0, 5, 9, 3, 8), (0, 5, 9, 3, 9)]) + midnight
    columns.add([0, 0, 0, 0], told, 0)
    columns.fold_into(usage, [(SessionKey("a", "p", "", "production", "m", "u", "s"), "")])
    assert [day.stretches for day in usage.session_days()] == [{midnight: midnight + 9, midnight + 3: midnight + 9}]


def within_a_day(heartbeats: Iterable[Heartbeat]) -> list[Heartbeat]:
    return [one for one in heartbeats if one.state != "close" and day_of(one.since) == day_of(one.at)]


@few
@given(some_fleets, st.data())
def test_columns_fold_to_the_same(fleet: Fleet, data: st.DataObject) -> None:
    told = within_a_day(fleet.heartbeats)
    named = sorted({(SessionKey._make(one[:7]), one.version) for one in told}, key=repr)
    columns, in_columns, plainly = ColumnFold(), UsageFold(), UsageFold()
    while told:
        size, received_at = data.draw(st.integers(1, len(told))), data.draw(st.integers(0, 3))
        frame, told = told[:size], told[size:]
        for one in frame:
            plainly.add(one, received_at)
        numbers = [named.index((SessionKey._make(one[:7]), one.version)) for one in frame]
        times = [(one.opened_at, one.since, one.at, one.resumed_at, one.active_at) for one in frame]
        columns.add(numbers, np.array(times), received_at)
        if data.draw(st.booleans()):
            columns.fold_into(in_columns, named)
    columns.fold_into(in_columns, named)
    columns.fold_into(in_columns, named)
    assert in_order(in_columns) == in_order(plainly)


def in_order(usage: UsageFold) -> list[SessionDay]:
    return sorted(usage.session_days(), key=lambda day: (day.session, day.day))
