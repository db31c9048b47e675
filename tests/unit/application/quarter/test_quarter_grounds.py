"""Packets and explanations use a closed quarter's own contract and commands, and leave out what is void."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pipeline.application.explain.account_usage import UsageQuestion, usage_as_closed
from pipeline.application.explain.contested_line import line_packet
from pipeline.application.explain.explained_line import explain_line, explain_pooled_line
from pipeline.application.quarter.quarter_grounds import Grounds, quarter_grounds
from pipeline.model.instants import EARLIEST_AT, LATEST_AT, Period, iso
from pipeline.model.statements import PooledLine, SeatLine
from pipeline.rules.dispute.packet import Packet
from pipeline.rules.explain.line_explanation import LineExplanation
from pipeline.rules.explain.seat_explanation import SeatLineExplanation
from pipeline.store.client import Client
from tests.golden.tables import read_use, terms_text
from tests.support.store.empty_stores import new_account
from tests.support.store.stored_histories import StoredHistory

pytestmark = pytest.mark.slow

PERIOD = Period.parse("2022Q2")
USE = "2022-05-03 15:01 to 15:42  eva on PC1..PC4"
LATE = "2022-05-03 15:01 to 15:42  petr on PC5..PC6"


def terms(quantity: int, price: str = "100.00") -> list[str]:
    seat = f"{{product: MSTN, model: pooled, policy: bentley-select, quantity: {quantity}, from: 2022-01-01}}"
    return [f'products: {{MSTN: {{name: MicroStation, term_license_price: "{price}"}}}}', f"entitlements: [{seat}]"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A quarter's grounds, and the packet and explanation of its line."""

    grounds: Grounds
    line: PooledLine
    packet: Packet
    explained: LineExplanation

    @property
    def evidence(self) -> list[str]:
        return sorted(row.session.key.machine for row in self.packet.evidence)

    @property
    def counted(self) -> list[str]:
        return sorted(unit.machine for unit in self.explained.apart[0].units)

    @property
    def voided(self) -> list[tuple[str, str]]:
        """Machine and void of the sessions that did not count, as listed by the slot and by the day."""
        of_slot = [(left_out.session.key.machine, left_out.void) for left_out in self.explained.apart[0].uncounted]
        of_day = [
            (left_out.uncounted.session.key.machine, left_out.uncounted.void) for left_out in self.explained.uncounted
        ]
        assert of_slot == of_day
        return [(machine, void.id) for machine, void in of_day if void is not None]


class Account(StoredHistory):
    """A stored history, and questions about a quarter of it."""

    def add_use(self, use: str) -> None:
        account = self.contract.account
        self.use(beat._replace(session=f"{beat.session} of {use[-3:]}") for beat in read_use([use], account))

    def change(self, quantity: int, price: str = "100.00") -> None:
        self.apply(terms_text(terms(quantity, price), self.contract.account))

    def grounds(self) -> Grounds:
        return quarter_grounds(self.view().of_quarter(PERIOD), PERIOD)

    def ask(self) -> Asked:
        grounds = self.grounds()
        (line,) = grounds.statement.pooled
        return Asked(grounds, line, line_packet(grounds, line), explain_pooled_line(grounds, line))

    def seats(self) -> SeatLineExplanation:
        """The explanation of the line of named seats."""
        grounds = self.grounds()
        (line,) = (line for line in grounds.statement.lines if isinstance(line, SeatLine))
        explained = explain_line(grounds, line)
        assert isinstance(explained, SeatLineExplanation)
        return explained

    def usage(self, **asked: str) -> tuple[list[tuple[str, str, str]], list[str]]:
        """Month, machine and product of each session, and the closed quarters among them."""
        usage = usage_as_closed(self.view(), UsageQuestion(EARLIEST_AT, LATEST_AT, **asked))
        sessions = [(iso(used.opened_at)[:7], used.key.machine, product) for used, product, _ in usage.sessions]
        return sessions, [view.closed.period.name for view in usage.closed if view.closed is not None]


@pytest.fixture
def account(store: Client) -> Account:
    opened = Account(store, terms_text(terms(1), new_account()))
    opened.add_use(USE)
    return opened


def test_a_voided_session_is_neither_counted_nor_evidence_and_is_listed_with_its_void(account: Account) -> None:
    account.void("V", "PC4")
    asked = account.ask()
    assert (asked.line.peak, asked.line.term_licenses) == (3, 2)
    assert asked.counted == asked.evidence == ["pc1", "pc2", "pc3"]
    assert asked.voided == [("pc4", "V")]
    assert [left_out.reason for left_out in asked.explained.apart[0].uncounted] == ["voided"]
    assert [left_out.uncounted.reason for left_out in asked.explained.uncounted] == ["voided"]


def test_voided_sessions_are_left_out_of_what_ifs(account: Account) -> None:
    account.add_use("2022-05-03 15:01 to 15:42  eva on PC9")
    before = account.ask().packet
    account.void("V", "PC9")
    after = account.ask().packet
    assert (before.together.sessions, after.together.sessions) == (5, 4)
    assert before.line.term_licenses == after.line.term_licenses + 1
    assert after.claimed == after.line.amount


def test_a_session_is_evidence_again_when_its_void_is_undone(account: Account) -> None:
    before = account.ask()
    account.void("V", "PC4")
    account.unvoid("V")
    after = account.ask()
    assert (after.evidence, after.voided, after.line) == (before.evidence, [], before.line)


def test_a_closed_quarter_uses_its_own_contract_and_the_commands_before_the_close(account: Account) -> None:
    account.void("V", "PC4")
    frozen = account.close(PERIOD)
    then = account.ask()
    account.change(3, "120.00")
    account.void("W", "PC3")
    account.unvoid("V")
    asked = account.ask()
    assert asked.grounds.statement == asked.grounds.frozen == frozen
    assert asked.line == frozen.pooled[0]
    assert (asked.line.term_licenses, asked.line.amount, asked.packet.claimed) == (2, 20_000, 20_000)
    assert asked.counted == asked.evidence == ["pc1", "pc2", "pc3"]
    assert asked.voided == [("pc4", "V")]
    assert (asked.packet, asked.explained) == (then.packet, then.explained)
    assert (asked.packet.state, asked.packet.basis) == ("closed", frozen.basis)


def test_evidence_after_the_close_is_shown_with_the_line_that_follows_from_it(account: Account) -> None:
    frozen = account.close(PERIOD)
    account.change(3, "120.00")
    account.add_use(LATE)
    asked = account.ask()
    assert asked.grounds.frozen == frozen
    assert (frozen.pooled[0].term_licenses, asked.line.term_licenses) == (3, 5)
    assert (asked.line.unit_price, asked.line.amount, asked.packet.state) == (10_000, 50_000, "closed")
    assert asked.packet.basis.contract == frozen.basis.contract
    assert len(asked.evidence) == asked.line.peak == len(asked.counted) == 6


def test_an_open_quarter_uses_the_current_contract_and_all_commands(account: Account) -> None:
    account.change(3)
    account.void("V", "PC1")
    asked = account.ask()
    assert asked.grounds.frozen is None
    assert (asked.grounds.statement.state, asked.line.entitled, asked.line.peak) == ("open", 3, 3)


NAMED = [
    'products: {MSTN: {name: MicroStation, term_license_price: "100.00"}}',
    "entitlements: [{product: MSTN, model: named, policy: bentley-select, quantity: 1, from: 2022-01-01}]",
]


def test_the_explanation_of_seats_shows_voided_sessions_and_assignments(store: Client) -> None:
    account = Account(store, terms_text(NAMED, new_account()))
    account.add_use("2022-05-03 15:01 to 15:42  eva on PC1")
    account.add_use("2022-05-03 16:01 to 16:42  eva on PC2")
    account.add_use("2022-05-03 15:31 to 16:12  petr on PC3")
    account.void("V", "PC1")
    shown = [
        (person.user, person.holds, use.session.key.machine, {place: len(at) for place, at in use.slots.items()})
        for person in account.seats().people
        for use in person.sessions
    ]
    assert shown == [
        ("petr", True, "pc3", {"named": 4}),
        ("eva", False, "pc1", {}),
        ("eva", False, "pc2", {"pooled": 4}),
    ]
    (voided,) = (use for person in account.seats().people for use in person.sessions if use.uncounted is not None)
    assert voided.uncounted is not None
    assert (voided.uncounted.reason, voided.uncounted.void and voided.uncounted.void.id) == ("voided", "V")


def test_a_void_or_contract_after_the_close_does_not_change_the_explanation_of_seats(store: Client) -> None:
    account = Account(store, terms_text(NAMED, new_account()))
    account.add_use("2022-05-03 15:01 to 15:42  eva on PC1")
    account.add_use("2022-05-03 15:31 to 16:12  petr on PC3")
    account.close(PERIOD)
    then = account.seats()
    account.void("V", "PC1")
    account.change(5)
    assert account.seats() == then
    assert [person.user for person in then.people] == ["eva", "petr"]


REPLACING = [
    'products: {MSTN: {term_license_price: "100.00", replaces: [OLD]}}',
    "entitlements: [{product: MSTN, model: pooled, policy: bentley-select, quantity: 1, from: 2022-01-01}]",
]


def test_usage_of_a_closed_quarter_has_its_product_names_and_voids_as_of_the_close(store: Client) -> None:
    account = Account(store, terms_text(REPLACING, new_account()))
    account.add_use("2022-02-03 15:01 to 15:42  eva on PC1 product=OLD")
    account.add_use("2022-05-03 15:01 to 15:42  eva on PC2 product=OLD")
    account.add_use("2022-05-03 15:01 to 15:42  eva on PC3 product=OLD")
    account.add_use("2022-08-03 15:01 to 15:42  eva on PC4 product=OLD")
    account.void("before", "PC3")
    account.close(PERIOD)
    account.change(3)
    account.void("after", "PC2")
    account.unvoid("before")
    rows = [("2022-02", "pc1", "OLD"), ("2022-05", "pc2", "MSTN"), ("2022-08", "pc4", "OLD")]
    assert account.usage() == (rows, ["2022Q2"])
    assert account.usage(product="MSTN") == (rows[1:2], ["2022Q2"])
    assert account.usage(product="OLD")[0] == rows
    assert account.usage(machine="pc4") == (rows[2:], [])


def test_a_session_over_the_end_of_a_closed_quarter_is_listed_once_under_that_quarter(store: Client) -> None:
    account = Account(store, terms_text(REPLACING, new_account()))
    account.add_use("2022-06-30 23:01 to 2022-07-01 01:00  eva on PC1 product=OLD")
    account.add_use("2022-03-31 23:01 to 2022-04-01 01:00  eva on PC2 product=OLD")
    account.close(PERIOD)
    account.change(3)
    assert account.usage() == ([("2022-03", "pc2", "OLD"), ("2022-06", "pc1", "MSTN")], ["2022Q2"])
