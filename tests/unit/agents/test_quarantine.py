"""A flood of dead letters of an account goes to the quarantine topic and does not affect other accounts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.agents.meter import MeterStep
from pipeline.agents.quarantine import ACCOUNTS_MAX, Quarantine
from pipeline.codec.json_text import Json
from pipeline.codec.topics import dead_letter_messages
from pipeline.codec.topics.message_keys import encode_key
from pipeline.kafka.topics import HEARTBEATS_DLQ, HEARTBEATS_QUARANTINE, USAGE
from pipeline.model.instants import MINUTE_MS
from tests.support.agents.step_messages import PARTITIONS, message
from tests.support.evidence.frame_members import MINIMAL, with_fields


def takes(quarantine: Quarantine, account: str, minute: int, letters: int) -> list[bool]:
    return [quarantine.takes(account, minute * MINUTE_MS + place) for place in range(letters)]


def test_the_first_letter_beyond_the_limit_enters_quarantine() -> None:
    assert takes(Quarantine(3), "acme", 0, 5) == [False, False, False, True, True]


def test_an_account_leaves_quarantine_after_a_minute_without_a_flood() -> None:
    quarantine = Quarantine(3)
    takes(quarantine, "acme", 0, 4)
    assert takes(quarantine, "acme", 1, 2) == [True, True]
    assert quarantine.accounts() == {"acme"}
    assert takes(quarantine, "acme", 2, 3) == [False, False, False]
    assert quarantine.accounts() == frozenset()


def test_a_quiet_minute_ends_a_quarantine() -> None:
    quarantine = Quarantine(3)
    takes(quarantine, "acme", 0, 4)
    assert takes(quarantine, "acme", 2, 1) == [False]


def test_a_flood_does_not_affect_other_accounts() -> None:
    quarantine = Quarantine(3)
    takes(quarantine, "acme", 0, 1_000)
    assert takes(quarantine, "studio", 0, 3) == [False] * 3
    assert quarantine.accounts() == {"acme"}


def test_the_memory_for_accounts_is_bounded() -> None:
    quarantine = Quarantine(1)
    for number in range(3 * ACCOUNTS_MAX):
        quarantine.takes(f"a{number}", number * MINUTE_MS)
    assert len(quarantine._minutes) <= ACCOUNTS_MAX + 1


@given(minutes=st.lists(st.integers(0, 3), max_size=60), letters_max=st.integers(1, 5))
def test_an_account_within_the_limit_never_enters_quarantine(minutes: list[int], letters_max: int) -> None:
    quarantine = Quarantine(letters_max)
    counted: dict[int, int] = {}
    for minute in sorted(minutes):
        counted[minute] = counted.get(minute, 0) + 1
        taken = quarantine.takes("acme", minute * MINUTE_MS)
        assert not taken or max(counted.values()) > letters_max


def test_a_flood_goes_to_the_quarantine_topic_with_unchanged_ids() -> None:
    step = MeterStep("main", quarantine_letters_max=2)
    flood: list[Json] = [with_fields(v=2), with_fields(v=2), with_fields(v=2), dict(MINIMAL)]
    step.take(message(flood, 0, key=encode_key("acme", "jana")))
    step.take(message([with_fields(account="studio", v=2)], 1, key=encode_key("studio", "petr")))
    written = step.drain().outgoing(PARTITIONS)
    topics = [outgoing.topic for outgoing in written]
    assert topics == [USAGE, HEARTBEATS_DLQ, HEARTBEATS_DLQ, HEARTBEATS_QUARANTINE, HEARTBEATS_DLQ]
    letters = [dead_letter_messages.decode(outgoing.value) for outgoing in written if outgoing.topic != USAGE]
    assert [(letter.offset, letter.index) for letter in letters] == [(0, 0), (0, 1), (0, 2), (1, 0)]
    tally = step.tally()
    assert (tally.valid, dict(tally.invalid), tally.quarantined) == (1, {"unknown_version": 4}, frozenset({"acme"}))
