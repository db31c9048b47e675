"""Compares everything in a store with the raw log; the first difference is returned as text."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Final, cast

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.quarter_counts import computed_statement
from pipeline.application.quarter.statement_life import open_statement
from pipeline.kafka.topics import HEARTBEATS
from pipeline.model.instants import Period
from pipeline.model.statements import SeatLine
from pipeline.store.client import Client
from pipeline.store.contract_versions import contract_versions
from tests.chaos.judge import ACCOUNTS, PERIOD
from tests.chaos.oracle import Denied, Statement, Truth, reading_of
from tests.simulation.knowledge import Fact, Knowledge

_SESSION: Final = "account, product, country, usage, machine, user, session"
_DAYS: Final = (
    f"SELECT {_SESSION}, toInt32(toUInt16(day)), toUnixTimestamp64Milli(opened_at), toUnixTimestamp64Milli(last_at), "  # noqa: S608 -- constants
    "used_slots, stretches, version, toUnixTimestamp64Milli(received_min_at), toUnixTimestamp64Milli(received_max_at) "
    "FROM usage_days FINAL"
)
_CLOSES: Final = f"SELECT {_SESSION}, toUnixTimestamp64Milli(closed_at) FROM session_closes FINAL"  # noqa: S608 -- constants
_DELIVERIES: Final = "SELECT account, log, partition, heartbeats FROM deliveries FINAL"
_LETTERS: Final = "SELECT log, topic, partition, offset, `index`, code, account FROM dead_letters FINAL"
_COMMANDS: Final = "SELECT log, partition, offset, toUnixTimestamp64Milli(received_at), body FROM commands FINAL"
_AFTER: Final = Period.containing(PERIOD.end_at)
_DENIALS: Final = "SELECT account, toUnixTimestamp64Milli(at), id FROM denials FINAL"


def difference(client: Client, truth: Truth, log_id: str) -> str:
    """The first difference, or ``''``: of facts, denials, offsets, orders and statements."""
    try:
        stored = _facts(client, log_id)
        letters = _letters(client, log_id)
    except ForeignLog as error:
        return str(error)
    stored.letters = {place[1:]: code for place, (code, _) in letters.items() if place[0] == HEARTBEATS}
    letters_of = Counter(account for _, account in letters.values())
    return (
        stored.difference(truth.knowledge)
        or _unaccounted(stored, truth)
        or _unreadable(letters, truth)
        or _denials(client, truth)
        or _orders(client, truth, log_id)
        or _statements(client, truth, letters_of)
    )


class ForeignLog(Exception):
    """The store has rows of an unexpected log id."""


def _facts(client: Client, log_id: str) -> Knowledge:
    """The stored session days, closes and deliveries."""
    stored = Knowledge()
    for row in cast(list[tuple[object, ...]], client.query(_DAYS).result_rows):
        session, (day, opened_at, last_at, slots, stretches, version, received_min_at, received_max_at) = (
            cast(tuple[str, ...], row[:7]),
            cast(tuple[int, int, int, list[int], dict[int, int], str, int, int], row[7:]),
        )
        stored.days[session, day] = Fact(
            opened_at, last_at, frozenset(slots), dict(stretches), version, received_min_at, received_max_at
        )
    for row in cast(list[tuple[object, ...]], client.query(_CLOSES).result_rows):
        stored.closes[cast(tuple[str, ...], row[:7])] = cast(int, row[7])
    for account, log, partition, heartbeats in cast(
        list[tuple[str, str, int, dict[int, int]]], client.query(_DELIVERIES).result_rows
    ):
        _expect(log, log_id)
        stored.deliveries |= {(account, partition, offset): count for offset, count in heartbeats.items()}
    return stored


def _letters(client: Client, log_id: str) -> dict[tuple[str, int, int, int], tuple[str, str]]:
    """Code and account of each dead letter, by topic, partition, offset and index."""
    letters = {}
    rows = cast(list[tuple[str, str, int, int, int, str, str]], client.query(_LETTERS).result_rows)
    for log, topic, partition, offset, index, code, account in rows:
        _expect(log, log_id)
        letters[topic, partition, offset, index] = code, account
    return letters


def _expect(log: str, log_id: str) -> None:
    if log != log_id:
        raise ForeignLog(f"something is stored of the log {log!r}, which is not {log_id!r}")


def _unaccounted(stored: Knowledge, truth: Truth) -> str:
    """Accepted = merged + dead-letter, offset by offset."""
    accounted = dict.fromkeys(truth.members, 0)
    for (_, partition, offset), heartbeats in stored.deliveries.items():
        accounted[partition, offset] = accounted.get((partition, offset), 0) + heartbeats
    for partition, offset, _ in stored.letters:
        accounted[partition, offset] = accounted.get((partition, offset), 0) + 1
    for place in sorted(accounted):
        if accounted[place] != truth.members.get(place):
            accepted = truth.members.get(place, "none")
            return f"heartbeats {place}: {accepted} accepted, {accounted[place]} merged or dead-lettered"
    return ""


def _unreadable(letters: Mapping[tuple[str, int, int, int], tuple[str, str]], truth: Truth) -> str:
    stored = {place[:3] for place in letters if place[0] != HEARTBEATS}
    wrong = sorted(stored ^ truth.unreadable)
    return f"unreadable: {wrong[0]} is {'' if wrong[0] in stored else 'not '}stored as a dead letter" if wrong else ""


def _denials(client: Client, truth: Truth) -> str:
    stored = cast(list[Denied], [tuple(row) for row in client.query(_DENIALS).result_rows])
    if sorted(stored) == sorted(truth.denied):
        return ""
    wrong = sorted(set(stored) ^ truth.denied) or [denial for denial in stored if stored.count(denial) > 1]
    return f"denials: {len(stored)} instead of {len(truth.denied)}, the first that differs is {wrong[0]}"


def _orders(client: Client, truth: Truth, log_id: str) -> str:
    """Every command at its place, unchanged, and every version of a contract with its last application."""
    stored = {}
    for log, partition, offset, received_at, body in cast(
        list[tuple[str, int, int, int, str]], client.query(_COMMANDS).result_rows
    ):
        _expect(log, log_id)
        stored[partition, offset] = json.loads(body), received_at
    for place in sorted({*stored, *truth.orders.placed}):
        actual, expected = stored.get(place), truth.orders.placed.get(place)
        if actual is None or expected is None or (_folded(expected[0]), expected[1]) != actual:
            return f"commands {place}: {actual} is stored instead of {expected}"
    stored_versions = {
        (account, version.content_hash): (version.applied_at, version.applied_by)
        for account in ACCOUNTS
        for version in contract_versions(client, account)
    }
    for version in sorted({*stored_versions, *truth.orders.versions}):
        applied = stored_versions.get(version, (0, ""))
        applied_at, authors = truth.orders.versions.get(version, (0, frozenset()))
        if applied[0] != applied_at or applied[1] not in authors:
            return f"contract {version}: applied {applied} instead of {(applied_at, authors)}"
    return ""


def _folded(record: Mapping[str, object]) -> dict[str, object]:
    """A command with its user as it is stored (RULES 1)."""
    folded = {name: unicodedata.normalize("NFC", str(record[name])).casefold() for name in ("user",) if name in record}
    return {**record, **folded}


def _statements(client: Client, truth: Truth, letters_of: Mapping[str, int]) -> str:
    for account in ACCOUNTS:
        reading = reading_of(account)
        statement = computed_statement(AccountView.of(client, reading, "server"), PERIOD)
        seats = tuple(user for line in statement.lines if isinstance(line, SeatLine) for user in line.users)
        actual: Statement = (statement.pooled, seats, statement.basis.heartbeats, statement.basis.dead_letters)
        letters = letters_of.get(account, 0) + letters_of.get("", 0)
        expected = truth.statement(account, letters)
        if actual != expected:
            return f"statement of {account}: {actual} instead of {expected}"
        after = open_statement(AccountView.of(client, reading, "server"), _AFTER, now=_AFTER.end_at)
        carried = sorted(
            (adjustment.kind, adjustment.product, adjustment.country, adjustment.amount)
            for adjustment in after.adjustments
        )
        if carried != truth.adjustments(account):
            return f"adjustments of {account}: {carried} instead of {truth.adjustments(account)}"
    return ""
