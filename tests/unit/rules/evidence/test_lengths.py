"""How long a session was open and active: lengths of unions, never more active than open."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.instants import MINUTE_MS, SECOND_MS
from pipeline.rules.evidence.lengths import active_ms, open_ms, union_ms
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.evidence.random_fleets import Fleet, fleets
from tests.support.laws import examples

OPENED_AT = instant("2022-05-03 15:01")
times = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20)).map(lambda pair: (pair[0], sum(pair))), max_size=8)


def test_a_stretch_with_three_beginnings_is_as_long_as_it_was() -> None:
    beats = [
        heartbeat(
            OPENED_AT,
            OPENED_AT + minutes * MINUTE_MS,
            resumed_at=OPENED_AT + seconds * SECOND_MS,
            active_at=OPENED_AT + 3 * MINUTE_MS,
        )
        for seconds, minutes in ((0, 7), (1, 13), (2, 19))
    ]
    (session,) = sessions(fold(beats))
    assert (open_ms(session), active_ms(session)) == (19 * MINUTE_MS, 180 * SECOND_MS)


def test_stretches_apart_add_up() -> None:
    assert union_ms([(10, 20), (30, 35), (20, 22)]) == 17
    assert union_ms([]) == 0


@given(times=times)
def test_a_length_is_that_of_every_instant_once(times: list[tuple[int, int]]) -> None:
    assert union_ms(times) == len({at for from_at, until_at in times for at in range(from_at, until_at)})


@settings(max_examples=examples(200))
@given(fleet=fleets())
def test_a_session_is_never_longer_active_than_open(fleet: Fleet) -> None:
    for session in sessions(fold(fleet.heartbeats)):
        assert 0 <= active_ms(session) <= open_ms(session)
