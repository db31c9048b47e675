"""The sample fleet's token charges are as planned, by the rules alone, for any order of heartbeats."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from pipeline.codec.contract.examination import load_contract
from pipeline.codec.schema_folder import schema_folder
from pipeline.codec.topics.heartbeats import decode
from pipeline.fleet.clients import demo_plan, demo_story, fleet
from pipeline.model.instants import DAY_MS, iso
from pipeline.policy.catalogue import metering_catalogue, token_catalogue
from pipeline.rules.evidence.merge import fold
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.connections import free_connections
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.flex_lines import debits, token_block
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.token_evidence import TokenEvidence

pytestmark = pytest.mark.slow

STORY = demo_story().tokens
READING = TokenReading(
    ContractReading(load_contract(schema_folder() / "contracts" / "studio.yaml"), metering_catalogue()),
    token_catalogue(),
)


def settled(evidence: TokenEvidence) -> Ledger:
    end_at = demo_plan().quarter().end_at
    ledger = Ledger("studio")
    entries = draft(ledger, READING.contract, evidence, (), now=end_at, hold_ms=0, complete_until=end_at)
    for posting in postings(ledger, entries):
        assert ledger.append(posting)
    return ledger


@pytest.fixture(scope="module")
def evidence() -> TokenEvidence:
    gathered = TokenEvidence(READING)
    plan = replace(demo_plan(), duplicates=0.1, disorder=0.2, late=0.05)
    for day in fold(beat for line in fleet(plan) if b'"ACD"' in line for beat in decode(line).heartbeats):
        gathered.merge(day)
    return gathered


def test_windows_tokens_and_expiries_are_as_planned(evidence: TokenEvidence) -> None:
    ledger = settled(evidence)
    charged = [debit for _, debit in debits(ledger)]
    assert len(charged) == STORY.windows == 31
    assert {debit.tokens for debit in charged} == {STORY.rate}
    block = token_block(ledger, demo_plan().quarter().end_at)
    spent = STORY.windows * STORY.rate
    assert (block.granted, block.debited, block.expired) == (STORY.granted, spent, STORY.expired)
    assert block.balance == STORY.granted - spent - STORY.expired == 318


def test_a_session_left_open_over_a_weekend_costs_only_the_window_of_its_use(evidence: TokenEvidence) -> None:
    assert STORY.idle.closed_at - STORY.idle.opened_at > 2 * DAY_MS
    windows = [
        debit.window
        for _, debit in debits(settled(evidence))
        if debit.window.user == STORY.idle.user and debit.window.start_at < STORY.idle.closed_at
    ]
    assert [iso(window.start_at) for window in windows] == ["2022-05-06T08:03:00Z"]


def test_the_short_connection_is_the_only_one_that_costs_nothing(evidence: TokenEvidence) -> None:
    windows = [debit.window for _, debit in debits(settled(evidence))]
    free = list(free_connections(evidence.sessions(), windows, READING))
    assert Counter((free.session.session, free.reason) for free in free) == {
        (STORY.glance.session, "free_connection"): 1
    }
