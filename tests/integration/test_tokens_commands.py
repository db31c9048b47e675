"""Tokens through the whole program: two folders with differently ordered evidence have the same ledger."""

from __future__ import annotations

import random
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import SideBySide
from tests.support.evidence.small_world import World
from tests.support.process.seatbeat_process import Ended, seatbeat

CONTRACT = """\
account: studio
country: CZ
currency: EUR
products:
  MSTN: {replaces: [MSTN-V8I]}
  STAAD: {}
entitlements:
  - {product: MSTN, model: flex, daily_rate: 7, from: 2022-01-01}
  - {product: STAAD, model: pooled, policy: bentley-select, quantity: 2, from: 2022-01-01}
token_packs:
  - {id: P1, tokens: 500, purchased_at: 2022-01-10}
"""
BUY = ("buy", "--tokens", "900", "--purchase", "PO-77", "--price", "2700.00", "--packs", "300", "600", "--id", "b1")
BOUGHT = ("--purchased-at", "2022-05-01")


@dataclass(frozen=True, slots=True)
class Office:
    """A folder's store, and the commands over it."""

    world: World
    name: str

    def run(self, part: str) -> Ended:
        folder = self.world.folder
        options = ("--output", "json", "--data-dir", folder / f"tokens-{self.name}")
        return self.world.run(folder / f"{self.name}-{part}.ndjson", contract=folder / "flex.yaml", options=options)

    def say(self, *arguments: str) -> Ended:
        data_dir = self.world.folder / f"tokens-{self.name}"
        return seatbeat(*arguments, "--data-dir", data_dir, temporary=self.world.temporary)

    def ask_json(self, *arguments: str) -> Any:
        ended = self.say(*arguments, "--output", "json")
        assert ended.status == 0, ended.err
        return ended.json


def play(office: Office) -> tuple[Office, Any]:
    """Run half of the evidence, a purchase and the other half; returns the final statement."""
    assert office.run("first").status == 0
    assert office.say("tokens", *BUY, *BOUGHT).status == 0
    ended = office.run("second")
    assert ended.status == 0, ended.err
    return office, ended.json


@pytest.fixture(scope="module")
def offices(world: World, side_by_side: SideBySide) -> list[tuple[Office, Any]]:
    """The same input in two folders: in order, and doubled and shuffled."""
    (world.folder / "flex.yaml").write_text(CONTRACT)
    heartbeats = [heartbeat for heartbeat in world.heartbeats if b'"studio"' in heartbeat]
    for part, lines in (("first", heartbeats[: len(heartbeats) // 2]), ("second", heartbeats[len(heartbeats) // 2 :])):
        shuffled = [*lines, *lines[::3]]
        random.Random(part).shuffle(shuffled)  # noqa: S311 -- a repeatable shuffle
        Path(world.folder / f"plain-{part}.ndjson").write_bytes(b"\n".join(lines))
        Path(world.folder / f"shuffled-{part}.ndjson").write_bytes(b"\n".join(shuffled))
    started: list[Future[tuple[Office, Any]]] = [
        side_by_side.start(lambda name=name: play(Office(world, name)))  # type: ignore[misc]  # a lambda's default
        for name in ("plain", "shuffled")
    ]
    return [run.result() for run in started]


def test_ledgers_do_not_depend_on_order_and_repetition_of_evidence(
    offices: list[tuple[Office, Any]],
) -> None:
    (plain, statement), (shuffled, again) = offices
    ledger = plain.ask_json("tokens", "ledger")
    assert ledger == shuffled.ask_json("tokens", "ledger")
    assert (statement["lines"], statement["tokens"]) == (again["lines"], again["tokens"])
    debits = [entry for entry in ledger if entry["kind"] == "debit"]
    assert len(debits) > 100
    assert {pack.rpartition(":")[0] for debit in debits for pack in debit["packs"]} == {"P1", "PO-77/1", "PO-77/2"}
    assert min(entry["balance"] for entry in ledger if entry["balance"] is not None) >= 0


def test_the_balance_agrees_with_the_statement_and_the_ledgers_last_entry(offices: list[tuple[Office, Any]]) -> None:
    (office, statement), _ = offices
    balance = office.ask_json("tokens", "balance")
    (team,) = balance["teams"]
    assert {name: team[name] for name in statement["tokens"]} == statement["tokens"]
    assert team["balance"] == team["available"] == sum(pack["left"] for pack in team["packs"])
    assert [(pack["id"], pack["price"]) for pack in team["packs"]] == [
        ("P1", None), ("PO-77/1", "900.00"), ("PO-77/2", "1800.00"),
    ]  # fmt: skip
    assert balance["settled_until"] == balance["complete_until"]


def test_every_debit_is_explained_by_a_session_of_its_user(offices: list[tuple[Office, Any]]) -> None:
    (office, statement), _ = offices
    charges = office.ask_json("tokens", "explain", "--product", "MSTN")["charges"]
    (line,) = (line for line in statement["lines"] if line["model"] == "flex")
    assert len(charges) == line["charges"]
    assert all(charge["caused_by"] for charge in charges)
    assert {cause["user"] == charge["user"] for charge in charges for cause in charge["caused_by"]} == {True}
    explained = office.ask_json("tokens", "explain", "--entry", charges[0]["entry"])
    assert explained["charges"] == charges[:1]


def test_the_forecast_starts_where_the_evidence_ends(offices: list[tuple[Office, Any]]) -> None:
    (office, _), _ = offices
    outlook = office.ask_json("tokens", "forecast")
    assert outlook["at"].startswith("2022-06")
    assert outlook["teams"][0]["charged_30_days"] > 0
    later = office.ask_json("tokens", "forecast", "--at", "2024-01-01")
    assert (later["teams"][0]["balance"], later["teams"][0]["days_left"]) == (0, None)


def test_invalid_orders_are_refused_with_code_and_sentence_and_change_nothing(
    offices: list[tuple[Office, Any]],
) -> None:
    (office, _), _ = offices
    before = office.ask_json("tokens", "ledger")
    for arguments, words in (
        ((*BUY, *BOUGHT), "known already"),
        (("buy", "--tokens", "900", "--id", "b1", *BOUGHT), "conflict: the id b1 stands for another order"),
        (("buy", "--tokens", "5", "--purchase", "PO-77"), "refused, purchase_conflict"),
        (("buy", "--tokens", "5", "--team", "nobody"), "refused, unknown_team"),
        (("buy", "--tokens", "5", "--purchased-at", "2100-01-01"), "refused, purchased_in_future"),
        (("buy", "--tokens", "5", "--price", "0"), "bad_price"),
        (("buy", "--tokens", "5", "--price", "1.234"), "bad_price"),
        (("credit", "--tokens", "5", "--reason", "r", "--debit", "none"), "refused, unknown_debit"),
        (("explain", "--entry", "none"), "there is no debit none"),
        (("explain", "--product", "STAAD"), "STAAD is not charged in tokens"),
    ):
        ended = office.say("tokens", *arguments)
        assert words in ended.err + ended.out.decode()
        assert "Traceback" not in ended.err
        assert ended.status == (0 if words == "known already" else 2), ended.err
    assert office.ask_json("tokens", "ledger") == before


def test_an_audit_names_every_debit_that_a_void_left_without_evidence(
    offices: list[tuple[Office, Any]],
) -> None:
    _, (office, _) = offices
    before = office.ask_json("audit", "--period", "2022Q2")
    assert (before["differences"], before["lines"]["lines"]) == ([], 1)
    assert before["ledger"]["debits"] > 100
    ledger = office.ask_json("tokens", "ledger")
    user = next(entry["user"] for entry in ledger if entry["kind"] == "debit")
    span = ("--from", "2022-04-01", "--until", "2022-07-01")
    assert office.say("void", "--user", user, *span, "--reason", "training").status == 0
    audited = office.say("audit", "--output", "json")
    assert audited.status == 1
    assert "differences between what is stored" in audited.err
    debits = [entry["id"] for entry in ledger if entry["user"] == user]
    assert [difference["where"] for difference in audited.json["differences"]] == [f"entry {id_}" for id_ in debits]
    assert office.ask_json("tokens", "ledger") == ledger, "settled windows never move"
