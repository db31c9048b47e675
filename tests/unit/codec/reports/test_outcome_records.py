"""Orders as text and as records, with their outcomes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.codec.reports.outcome_records import order_text, outcome_record
from pipeline.model.orders import Close, Logged, Order, Refused
from pipeline.rules.orders.outcomes import Outcome
from tests.support.evidence.order_shorthand import AT, LATER, ORDERS, command


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (
            ORDERS[1],
            ("assign product STAAD, country CZ, user petr, at 2022-05-03T09:01:00Z, replaces jana, "
            "model practitioner"),
        ),
        (
            ORDERS[3],
            ("checkout product MSTN, country CZ, user petr, machine ws-9, from 2022-05-03T09:01:00Z, "
            "until 2022-05-04T16:00:00Z"),
        ),
        (ORDERS[9], "unvoid void v1, reason the clock was right"),
        (
            ORDERS[10],
            ("dispute period 2022Q2, product MSTN, country CZ, model pooled, category over_pool, amount 960.00 EUR, "
            "comment one launch\ntoo many"),
        ),
        (ORDERS[12], "dispute-state dispute d1, state granted, ticket CS-1, granted 960.00 EUR"),
        (ORDERS[13], "buy-tokens packs P1 P2"),
        (ORDERS[15], "tick complete_until 2022-05-03T09:01:00Z"),
    ],
)  # fmt: skip
def test_an_order_is_described_in_a_line_with_the_names_of_the_contract(order: Order, text: str) -> None:
    assert order_text(order, "EUR") == text


def test_the_text_of_a_close_leaves_out_the_statement() -> None:
    close = Close("2022Q2", "sha256:0", "{" + " " * 10_000 + "}", AT, 0, forced=False)
    expected = "close period 2022Q2, contract sha256:0, complete_until 2022-05-03T09:01:00Z, silent_machines 0"
    assert order_text(close, "EUR") == expected
    assert order_text(replace(close, forced=True), "EUR") == f"{expected}, forced"


def test_the_record_says_why_an_order_was_refused_and_when_it_becomes_possible() -> None:
    logged = Logged(command(ORDERS[0]), LATER)
    accepted = outcome_record(Outcome(logged, "accepted"), "EUR")
    assert (accepted["outcome"], accepted["code"], accepted["possible_at"]) == ("accepted", None, None)
    refused = outcome_record(Outcome(logged, "refused", Refused("c1", "locked", "it is locked", LATER)), "EUR")
    assert (refused["code"], refused["sentence"], refused["possible_at"]) == (
        "locked", "it is locked", "2022-05-04T16:00:00Z",
    )  # fmt: skip
    assert (refused["issued_at"], refused["received_at"]) == ("2022-05-03T09:01:00Z", "2022-05-04T16:00:00Z")
