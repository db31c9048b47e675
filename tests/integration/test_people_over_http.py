"""Thousands of seats and checkouts in a query over HTTP stay within the server's limits of URLs and fields."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.quarter_counts import quarter_lines
from pipeline.model.contracts import Contract, Entitlement, Product
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import HOUR_MS, MINUTE_MS, Period
from pipeline.model.orders import Assign, CheckOut, Command, Logged, Order
from pipeline.model.statements import PooledLine
from pipeline.rules.evidence.merge import fold
from pipeline.rules.evidence.sessions import sessions
from pipeline.rules.people.holders import people_of
from pipeline.rules.statement import recount
from pipeline.store.client import Client, connect
from pipeline.store.migrations import migrate
from tests.support.clickhouse.server import ClickhouseSeam
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.evidence.random_fleets import reading_of
from tests.support.store.written_facts import write_session_days

MANY = 3_000
QUARTER = Period.parse("2022Q2")
BEGUN_AT = instant("2022-01-01 00:00")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Client]:
    with ClickhouseSeam(tmp_path / "data") as seam, closing(connect(seam.dsn)) as client:
        migrate(client)
        yield client


def user(number: int) -> str:
    """A user whose name contains characters that must be escaped."""
    return f'user-{number} o\'brien \\ "{"ž" * 20}"'


def use() -> list[Heartbeat]:
    at = instant("2022-05-03 09:00")
    return [
        heartbeat(at, at + 30 * MINUTE_MS, machine=f"pc{number}", user=user(number)) for number in range(0, 4_000, 40)
    ]


def test_thousands_of_seats_and_checkouts_are_applied_over_http(store: Client) -> None:
    seats = [
        Entitlement(("MSTN",), "CZ", "practitioner", "bentley-select", MANY, BEGUN_AT, None),
        Entitlement(("MSTN",), "CZ", "named", "bentley-select", 7, BEGUN_AT, None),
    ]
    contract = Contract("acme", "CZ", "EUR", "", products={"MSTN": Product("MSTN")}, entitlements=tuple(seats))
    orders: list[Order] = [
        Assign("MSTN", "CZ", user(number), BEGUN_AT + number * HOUR_MS // 10) for number in range(MANY)
    ]
    taken_at = instant("2022-05-03 09:00")
    orders += [
        CheckOut("MSTN", "CZ", user(number), f"pc{number}", taken_at, taken_at + HOUR_MS)
        for number in range(MANY - 500, MANY + 500)
    ]
    logged = [Logged(Command(f"c{n}", "acme", "tests", 0, order), n) for n, order in enumerate(orders)]
    write_session_days(store, fold(use()))
    reading, people = reading_of(contract), people_of(contract, logged)
    assert not people.refused
    lines = quarter_lines(AccountView.of(store, reading, "server").after(logged), QUARTER)
    assert lines == recount.lines(reading, people, QUARTER, sessions(fold(use())))
    assert [line.peak for line in lines if isinstance(line, PooledLine)] == [500 + 12 - 7]
