"""Orders that nothing undoes are posted beyond their bounds only once their figure is confirmed."""

from __future__ import annotations

import pytest

from pipeline.application.orders.close_quarter import close_quarter
from pipeline.application.quarter.statement_life import current_statement
from pipeline.model.contracts import TokenPack
from pipeline.model.instants import DAY_MS, MINUTE_MS, Period
from pipeline.model.orders import (
    Assign,
    BuyTokens,
    CheckIn,
    CheckOut,
    CreditTokens,
    MoveDispute,
    OpenDispute,
    Order,
    Release,
)
from pipeline.rules.evidence.merge import fold
from pipeline.rules.orders.outcomes import Outcome
from pipeline.rules.statement.closes import Closed
from pipeline.store.client import Client
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.store.ordering_account import CONTRACT, OrderingAccount
from tests.support.store.written_facts import write_session_days

PRICED = CONTRACT.replace("MSTN: {{}}", 'MSTN: {{term_license_price: "24000.00"}}')
NOW = instant("2022-07-02 00:00")
PERIOD = Period.parse("2022Q2")
LINE_COST = 2_400_000


@pytest.fixture
def account(store: Client) -> OrderingAccount:
    """An account whose second quarter needs one term licence: two machines at once, and one seat."""
    account, opened_at = OrderingAccount(store, PRICED), instant("2022-05-03 09:01")
    use(account, opened_at, 2)
    return account


def use(account: OrderingAccount, opened_at: int, machines: int) -> None:
    beats = [
        heartbeat(
            opened_at, opened_at + 60 * MINUTE_MS, account=account.account, machine=f"pc{number}", session=f"{number}"
        )
        for number in range(machines)
    ]
    write_session_days(account.store, fold(beats))


def answered(account: OrderingAccount, id_: str = "d") -> None:
    """A dispute that the vendor has answered."""
    account.place(OpenDispute("2022Q2", "MSTN", "CZ", "pooled", "goodwill", None), id_)
    for state in ("submitted", "answered"):
        assert account.place(MoveDispute(id_, state), f"{id_} {state}").status == "accepted"


def grant(
    account: OrderingAccount, amount: int, id_: str, confirmed: str = "", *, why: str = "", dispute: str = "d"
) -> Outcome:
    return account.place(MoveDispute(dispute, "granted", "", why, amount), id_, confirmed)


def close(account: OrderingAccount) -> None:
    assert isinstance(close_quarter(account.view(), PERIOD, account.issue("c"), account.poster, is_forced=True), Closed)


def credited(account: OrderingAccount) -> list[int]:
    statement = current_statement(account.view(), Period.parse("2022Q3"), now=NOW)
    return [adjustment.amount for adjustment in statement.adjustments if adjustment.kind == "credit"]


def sentence(outcome: Outcome) -> str:
    assert outcome.status == "refused"
    assert outcome.refused is not None
    assert outcome.refused.code == "unconfirmed"
    return outcome.refused.sentence


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_grant_of_more_than_the_line_costs_is_confirmed_or_refused(account: OrderingAccount, is_closed: bool) -> None:
    answered(account)
    if is_closed:
        close(account)
    refused = sentence(grant(account, LINE_COST + 1, "g"))
    assert refused == (
        "24000.01 EUR is more than the 24000.00 EUR that MSTN in CZ costs in 2022Q2: correct it, or confirm it by "
        "--confirm 24000.01"
    )
    assert sentence(grant(account, LINE_COST + 1, "g", "24000.00"))
    assert len(account.view().log) == (4 if is_closed else 3)
    assert grant(account, LINE_COST + 1, "g", "24000.01").status == "accepted"
    assert grant(account, LINE_COST + 1, "g").status == "known"


def test_a_grant_up_to_the_cost_of_the_line_needs_no_confirmation(account: OrderingAccount) -> None:
    answered(account)
    assert grant(account, LINE_COST, "g").status == "accepted"


def test_grants_of_a_line_are_bounded_together_and_a_correction_replaces_its_own(account: OrderingAccount) -> None:
    answered(account)
    assert grant(account, LINE_COST - 100, "g").status == "accepted"
    answered(account, "e")
    assert "of which 23999.00 was granted before" in sentence(grant(account, 101, "h", dispute="e"))
    assert grant(account, 100, "h", dispute="e").status == "accepted"
    assert sentence(grant(account, LINE_COST - 99, "i", why="more"))
    assert grant(account, LINE_COST - 200, "i", why="less").status == "accepted"


def test_what_came_late_raises_the_bound(account: OrderingAccount) -> None:
    answered(account)
    close(account)
    use(account, instant("2022-05-03 09:01"), 3)
    assert grant(account, 2 * LINE_COST, "g").status == "accepted"


def test_a_corrected_grant_is_the_credit_of_the_next_statement(account: OrderingAccount) -> None:
    answered(account)
    close(account)
    grant(account, 9_999_999_900, "g", "99999999.00")
    assert credited(account) == [-9_999_999_900]
    assert grant(account, 96_000, "h", why="the amount was mistyped").status == "accepted"
    assert credited(account) == [-96_000]


ASSIGNED = (Assign("STAAD", "", "petr", NOW - DAY_MS), "a")
TAKEN_OUT = (CheckOut("MSTN", "", "petr", "pc1", NOW - DAY_MS, NOW + 3000 * DAY_MS), "o")


def packs(*sizes: int) -> BuyTokens:
    return BuyTokens(tuple(TokenPack(f"B{size}", "", "default", size, NOW - DAY_MS, None) for size in sizes))


@pytest.mark.parametrize(
    ("before", "order", "figure"),
    [
        ((), packs(100_000), None),
        ((), packs(60_000, 40_001), "100001"),
        ((), CreditTokens("default", 1, "outage"), "1"),
        ((), Assign("STAAD", "", "petr", NOW + 90 * DAY_MS), None),
        ((), Assign("STAAD", "", "petr", NOW + 9_000 * DAY_MS), "2047-02-21T00:00:00Z"),
        ((ASSIGNED,), Release("STAAD", "", "petr", NOW + 9_000 * DAY_MS), "2047-02-21T00:00:00Z"),
        ((TAKEN_OUT,), CheckIn("o", NOW), None),
        ((TAKEN_OUT,), CheckIn("o", NOW + DAY_MS), "2022-07-03T00:00:00Z"),
    ],
)
def test_an_order_beyond_its_bound_is_posted_with_its_figure_alone(
    account: OrderingAccount, before: tuple[tuple[Order, str], ...], order: Order, figure: str | None
) -> None:
    for earlier, id_ in before:
        assert account.place(earlier, id_).status == "accepted"
    if figure is None:
        assert account.place(order, "x").status == "accepted"
        return
    assert f"--confirm {figure}" in sentence(account.place(order, "x"))
    assert len(account.view().log) == len(before)
    assert account.place(order, "x", figure).status == "accepted"
