"""The sink's step: what it stores does not depend on where checkpoints are made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.agents.consuming import Message
from pipeline.agents.sink import SinkStep
from pipeline.codec.columns.usage_messages import NO_USAGE
from pipeline.codec.columns.usage_rows import session_days
from pipeline.codec.contract.examination import read_contract
from pipeline.codec.topics import denial_messages, ledger_messages
from pipeline.codec.topics.denial_messages import Denial
from pipeline.codec.topics.message_keys import encode_key
from pipeline.kafka.posting import contract_message
from pipeline.kafka.topics import COMMANDS, CONTRACTS, DENIALS, HEARTBEATS_DLQ, TOKEN_LEDGER, USAGE
from pipeline.model.ledger_entries import Entry, Posting, Settled
from tests.support.agents.step_messages import LOG, facts_of, facts_stored, message, metered, rows_in, sunk
from tests.support.evidence.frame_members import AT, MINIMAL, with_fields
from tests.support.evidence.order_shorthand import AT as AT_ORDERS
from tests.support.evidence.order_shorthand import ORDERS, command, command_at
from tests.unit.agents.test_meter import MESSAGES, cut

DENIAL = Denial("acme", "9e10", "denied", AT, "MSTN", "jana", "ws-1", "none free", "lmgrd.log", 812)


def as_messages(messages: list[Message]) -> list[Message]:
    """The meter's outputs for each single message, as input of the sink."""
    written = metered([[sent] for sent in messages])
    return [
        message(outgoing.value, offset, key=outgoing.key, topic=outgoing.topic, headers=outgoing.headers)
        for offset, outgoing in enumerate(written)
    ]


@given(messages=MESSAGES, at=st.sets(st.integers(0, 16)))
def test_the_stored_facts_do_not_depend_on_where_checkpoints_are_made(messages: list[Message], at: set[int]) -> None:
    assert facts_stored(sunk(cut(as_messages(messages), at))) == facts_of(metered([messages]))


@given(messages=MESSAGES, data=st.data())
def test_the_stored_facts_do_not_depend_on_order_and_repetition_of_messages(
    messages: list[Message], data: st.DataObject
) -> None:
    heard = as_messages(messages)
    again = data.draw(st.lists(st.sampled_from(heard)) if heard else st.just([]))
    shuffled = data.draw(st.permutations(heard + again))
    at = data.draw(st.sets(st.integers(0, 16)))
    assert facts_stored(sunk(cut(shuffled, at))) == facts_of(metered([messages]))


def test_rows_of_a_session_day_are_folded_before_they_are_stored() -> None:
    heard = as_messages([message(with_fields(at=AT + n), n) for n in range(50)])
    [batch] = sunk([heard])
    assert [(day.last_at, len(day.stretches)) for day in session_days(batch.usage.rows)] == [(AT + 49, 1)]
    assert rows_in(batch.usage.deliveries) == [("acme", "main", "heartbeats", 0, n, 1) for n in range(50)]


def test_dead_letters_and_denials_are_stored_unchanged() -> None:
    [heard] = as_messages([message(None, 7)])
    [batch] = sunk([[heard, message(denial_messages.encode(DENIAL), topic=DENIALS)]])
    assert [(letter.offset, letter.code) for letter in batch.letters] == [(7, "empty")]
    assert batch.denials == [DENIAL]
    assert batch.usage == NO_USAGE


def test_a_drain_returns_everything_once() -> None:
    step = SinkStep(LOG)
    for sent in (
        *as_messages([message([dict(MINIMAL), None])]),
        message(denial_messages.encode(DENIAL), topic=DENIALS),
    ):
        step.take(sent)
    first, second = step.drain(), step.drain()
    assert all((first.usage.rows.num_rows, first.usage.deliveries.num_rows, first.letters, first.denials))
    assert (second.usage, second.letters, second.denials) == (NO_USAGE, [], [])


@pytest.mark.parametrize("value", [None, b"", b"{", b"null", b"[]", b"{}", b'"x"', b"\xff"])
@pytest.mark.parametrize("topic", [USAGE, HEARTBEATS_DLQ, DENIALS, COMMANDS, CONTRACTS, TOKEN_LEDGER])
def test_a_foreign_message_is_a_dead_letter_and_does_not_affect_others(topic: str, value: bytes | None) -> None:
    step = SinkStep(LOG)
    [usage] = [sent for sent in as_messages([message([dict(MINIMAL)])]) if sent.topic == USAGE]
    step.take(Message(topic, 3, 9, encode_key("acme"), value, (), AT))
    step.take(usage)
    batch = step.drain()
    [letter] = batch.letters
    assert (letter.topic, letter.partition, letter.offset, letter.code) == (topic, 3, 9, "unreadable")
    assert (letter.account, letter.member, letter.raw) == ("acme", None, value or b"")
    assert batch.usage.rows.num_rows == 1


CONTRACT = b"account: acme\ncountry: CZ\ncurrency: EUR\n"


def test_commands_are_stored_with_their_place_including_repetitions() -> None:
    heard = [command_at(offset, command(order, "c")) for offset, order in enumerate((*ORDERS, ORDERS[0]))]
    [batch] = sunk([heard])
    assert [(command.command.order, command.offset, command.received_at) for command in batch.commands] == [
        (order, offset, AT_ORDERS + offset) for offset, order in enumerate((*ORDERS, ORDERS[0]))
    ]
    assert {(command.log, command.topic, command.partition) for command in batch.commands} == {(LOG, COMMANDS, 0)}
    assert batch.letters == []


def test_a_contract_is_stored_with_its_bytes_its_author_and_its_append_time() -> None:
    sent = contract_message(read_contract("c", CONTRACT), CONTRACT, "jana")
    [batch] = sunk([[Message(sent.topic, 0, 4, sent.key, sent.value, sent.headers, AT)]])
    [contract] = batch.contracts
    assert (contract.contract.account, contract.body, contract.applied_at, contract.applied_by) == (
        "acme",
        CONTRACT,
        AT,
        "jana",
    )
    assert contract.offset == 4


@pytest.mark.parametrize("topic", [COMMANDS, CONTRACTS])
def test_a_command_under_another_accounts_key_is_a_dead_letter(topic: str) -> None:
    value = CONTRACT if topic == CONTRACTS else command_at(0, command(ORDERS[0])).value
    [batch] = sunk([[Message(topic, 0, 0, encode_key("other"), value, (), AT)]])
    assert (batch.commands, batch.contracts) == ([], [])
    assert ["the key is not that of the account" in letter.detail for letter in batch.letters] == [True]


def test_a_contract_that_contradicts_itself_is_a_dead_letter_with_every_mistake() -> None:
    value = CONTRACT + b"default_policy: unheard-of\nproducts: {A: {plugin_of: A}}\n"
    [batch] = sunk([[Message(CONTRACTS, 0, 0, encode_key("acme"), value, (), AT)]])
    [letter] = batch.letters
    assert (letter.code, letter.raw) == ("unreadable", value)
    assert all(part in letter.detail for part in ("default_policy", "plugin_of"))


POSTING = Posting("acme", 1, (Entry("e1", AT, Settled(AT)),))


def test_postings_are_stored_with_their_place_including_void_postings() -> None:
    key, value = encode_key("acme"), ledger_messages.encode(POSTING)
    [batch] = sunk([[Message(TOKEN_LEDGER, 2, offset, key, value, (), AT) for offset in (4, 5)]])
    assert [(posting.log, posting.partition, posting.offset, posting.posting) for posting in batch.postings] == [
        (LOG, 2, 4, POSTING),
        (LOG, 2, 5, POSTING),
    ]
    assert batch.letters == []


def test_a_posting_under_another_accounts_key_is_a_dead_letter() -> None:
    [batch] = sunk([[Message(TOKEN_LEDGER, 2, 4, encode_key("other"), ledger_messages.encode(POSTING), (), AT)]])
    assert (batch.postings, [letter.code for letter in batch.letters]) == ([], ["unreadable"])
