"""Pseudonyms in dispute packets."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.rules.dispute.pseudonyms import with_pseudonyms
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.evidence.packet_shorthand import packet_of
from tests.support.laws import examples


@settings(max_examples=examples(40))
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=8))
def test_pseudonyms_are_consistent_and_change_nothing_else(who: list[tuple[int, int]]) -> None:
    heartbeats = [
        heartbeat(
            instant("2022-05-03 15:00"), instant("2022-05-03 16:00"),
            user=f"someone-{user}", machine=f"somewhere-{machine}", session=f"sometime-{number}",
        )
        for number, (user, machine) in enumerate(who)
    ]  # fmt: skip
    made = packet_of(heartbeats, entitled=0)
    other = with_pseudonyms(made)
    assert other == with_pseudonyms(made)
    for place in (4, 5, 6):
        pairs = {
            (a.session.key[place], b.session.key[place]) for a, b in zip(made.evidence, other.evidence, strict=True)
        }
        assert len(pairs) == len({name for name, _ in pairs}) == len({alias for _, alias in pairs})
    assert [row.flags for row in other.evidence] == [row.flags for row in made.evidence]
    assert (other.line, other.days, other.together) == (made.line, made.days, made.together)
    assert other.evidence[0].session.key.machine == "machine 1"
