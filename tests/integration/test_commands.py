"""Orders from the command line to the store and back: contracts, seats, voids; and repeated deliveries.

On Apache Kafka (``--broker apache``) as on the embedded broker: a double delivery or a replay of the topic changes
nothing that a reader finds.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from pipeline.codec.topics.command_messages import encode
from pipeline.embedded.broker import PROGRAM_VARIABLE
from pipeline.model.orders import Assign, Tick, Unvoid, Void
from tests.support.evidence.order_shorthand import AT, LATER, command
from tests.support.process.processes import ROOT
from tests.support.process.seatbeat_process import ENDS_S_MAX, Ended, seatbeat, surroundings

CONTRACT: Final = """\
account: acme
country: CZ
currency: EUR
products:
  MSTN: {name: MicroStation, list_price: "6000.00"}
  STAAD: {name: STAAD.Pro}
entitlements:
  - {product: MSTN, model: pooled, policy: bentley-select, quantity: 1, from: 2022-01-01}
  - {product: STAAD, model: practitioner, policy: bentley-select, quantity: 1, from: 2022-01-01}
"""
CONTRADICTS: Final = (
    CONTRACT + "  - {product: MSTN, model: pooled, policy: bentley-e365, quantity: 1, from: 2022-01-01}\n"
)
CONTRADICTS_TWICE: Final = CONTRADICTS + "default_policy: unheard-of\n"


def heartbeat(machine: str, session: str) -> bytes:
    return orjson.dumps(
        {
            "v": 1, "account": "acme", "product": "MSTN", "machine": machine, "user": f"user of {machine}",
            "session": session, "opened_at": AT, "since": AT, "at": AT + 3_600_000,
        }
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Office:
    """A folder with contracts, evidence of two machines, and a store."""

    folder: Path

    def say(self, *arguments: str) -> Ended:
        return seatbeat(*arguments, "--data-dir", self.folder / "store", temporary=self.folder / "temporary")

    def apply(self, name: str) -> Ended:
        return self.say("contract", "apply", str(self.folder / name), "--by", "jana")

    def order(self, *arguments: str) -> Ended:
        return self.say(*arguments, "--by", "admin", "--output", "json")

    def statement(self) -> Any:
        return self.say("statement", "--period", "2022Q2", "--output", "json").json


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A folder with an applied contract and a run over the evidence."""
    made = Office(tmp_path_factory.mktemp("office"))
    (made.folder / "contract.yaml").write_text(CONTRACT)
    (made.folder / "contradicts.yaml").write_text(CONTRADICTS_TWICE)
    (made.folder / "beats.ndjson").write_bytes(b"\n".join((heartbeat("pc1", "s1"), heartbeat("pc2", "s2"))) + b"\n")
    return made


@pytest.fixture(scope="module")
def applied(office: Office) -> list[Ended]:
    return [office.apply("contradicts.yaml"), office.apply("contract.yaml"), office.apply("contract.yaml")]


def test_a_contract_is_checked_and_applying_it_again_changes_nothing(office: Office, applied: list[Ended]) -> None:
    refused, first, again = applied
    assert refused.status == 2
    assert all(mistake in refused.err for mistake in ("contradicts.yaml:11:", "unheard-of"))
    assert (first.status, again.status) == (0, 0), first.err
    assert b"is acme's contract, applied" in first.out
    assert b"is acme's contract already" in again.out
    versions = office.say("contract", "list", "--output", "json").json
    assert [(version["applied_by"], version["current"]) for version in versions] == [("jana", True)]
    assert first.out.startswith(versions[0]["contract"].encode())


def test_posting_into_a_folder_needs_no_broker(office: Office, tmp_path: Path) -> None:
    nowhere = {PROGRAM_VARIABLE: str(tmp_path / "no broker")}
    posted = seatbeat(
        "contract", "apply", office.folder / "contract.yaml", "--data-dir", tmp_path / "store", temporary=tmp_path,
        environment=nowhere,
    )  # fmt: skip
    assert posted.status == 0, posted.err


@pytest.fixture(scope="module")
def seats(office: Office, applied: list[Ended]) -> list[Ended]:
    seat = ("--product", "STAAD", "--user", "JANA@acme.example", "--at", "2022-05-01")
    petr = ("--product", "STAAD", "--user", "petr", "--at", "2022-05-02")
    return [
        office.order("assign", *seat, "--id", "a1"),
        office.order("assign", *seat, "--id", "a1"),
        office.order("assign", *petr, "--id", "a1"),
        office.order("assign", *petr, "--replaces", "jana@acme.example"),
        office.order("release", "--product", "STAAD", "--user", "nobody", "--at", "2022-05-02"),
        office.order("assign", "--product", "UNHEARD", "--user", "petr", "--at", "2022-05-02"),
        office.order("assign", "--product", "STAAD", "--user", "petr", "--id", "without an instant"),
    ]  # fmt: skip


def test_each_order_has_an_outcome_a_code_and_the_instant_from_which_it_is_possible(seats: list[Ended]) -> None:
    records = [ended.json for ended in seats[:-1]]
    assert [(record["outcome"], record["code"]) for record in records] == [
        ("accepted", None), ("known", None), ("conflict", "conflict"), ("refused", "locked"),
        ("refused", "not_assigned"), ("refused", "unknown_product"),
    ]  # fmt: skip
    assert [ended.status for ended in seats] == [0, 0, 2, 2, 2, 2, 2]
    assert records[3]["possible_at"] == "2022-05-31T00:00:00Z"
    assert records[3]["sentence"]
    assert "user jana@acme.example" in records[0]["what"]
    assert "--at: is not given, but --id is" in seats[-1].err


@pytest.fixture(scope="module")
def voided(office: Office, seats: list[Ended]) -> dict[str, Any]:
    """A story of a void, step by step."""
    ran = office.say(
        "run", "--contract", str(office.folder / "contract.yaml"), "--input", str(office.folder / "beats.ndjson"),
        "--period", "2022Q2", "--output", "json",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    void = ("void", "--session", "s2", "--id", "v1")
    return {
        "before": ran.json,
        "void": office.order(*void, "--reason", "clock was wrong"),
        "again": office.order(*void, "--reason", "clock was wrong"),
        "other": office.order(*void, "--reason", "another reason"),
        "during": office.statement(),
        "usage": office.say("usage", "--output", "json").json,
        "explained": office.say(
            "explain", "--product", "MSTN", "--slot", "2022-05-03T09:20:00Z", "--output", "json"
        ).json,
        "table": office.say("statement", "--period", "2022Q2").out.decode(),
        "undo": office.order("void", "--undo", "v1", "--reason", "it was right"),
        "undo again": office.order("void", "--undo", "v1", "--reason", "it was right"),
        "after": office.statement(),
        "nothing": office.say("void", "--reason", "x"),
        "of nothing": office.order("void", "--session", "unheard-of", "--reason", "x"),
        "commands": office.say("commands", "--output", "json").json,
    }


def peaks(statement: Any) -> list[tuple[str, int]]:
    return [(line["product"], line["peak"]) for line in statement["lines"] if line["model"] == "pooled"]


def test_a_voided_session_is_left_out_of_the_statement_and_listed_by_explain(
    voided: dict[str, Any],
) -> None:
    assert peaks(voided["before"]) == [("MSTN", 2)]
    assert [voided[step].json["outcome"] for step in ("void", "again", "other")] == ["accepted", "known", "conflict"]
    assert peaks(voided["during"]) == [("MSTN", 1)]
    [shown] = voided["during"]["voids"]
    assert (shown["id"], shown["by"], shown["reason"], shown["session"]) == ("v1", "admin", "clock was wrong", "s2")
    assert [record["session"] for record in voided["usage"]] == ["s1"]
    [uncounted] = voided["explained"]["uncounted"]
    assert (uncounted["reason"], uncounted["session"]["session"]) == ("voided", "s2")
    assert uncounted["because"] == "is left out by the void v1 of admin: clock was wrong"
    assert "v1" in voided["table"]
    assert "clock was wrong" in voided["table"]


def test_undoing_a_void_restores_the_statement(voided: dict[str, Any]) -> None:
    assert voided["undo"].json["outcome"] == "accepted"
    assert (voided["undo again"].status, voided["undo again"].json["code"]) == (2, "undone_already")
    assert voided["after"] == voided["before"]
    assert (voided["nothing"].status, voided["nothing"].out) == (2, b"")
    assert "Say what to leave out" in voided["nothing"].err
    assert "no stored evidence is of what this void leaves out" in voided["of nothing"].err
    assert [(command["id"], command["outcome"]) for command in voided["commands"]][:2] == [
        ("a1", "accepted"),
        ("v1", "accepted"),
    ]
    assert {command["outcome"] for command in voided["commands"]} == {"accepted"}


LOG: Final = (
    encode(command(Assign("STAAD", "CZ", "jana", AT), "a1")),
    encode(command(Assign("STAAD", "CZ", "petr", AT), "a1")),
    encode(command(Void("x", session="s1"), "v1")),
    encode(command(Void("x", machine="pc1", from_at=AT, until_at=LATER), "v2")),
    encode(command(Unvoid("v1", "y"), "u1")),
    encode(command(Unvoid("v1", "y"), "u2")),
    b'{"v": 1, "id": "broken"}',
    encode(command(Tick(AT), "t1")),
)


def deliver(folder: Path, store: str, log: str, times: int = 1) -> Any:
    """Each message a number of times through a pipeline with its own broker."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.support.process.posting_process",
            "--data-dir",
            folder / store,
            "--log",
            log,
            "--times",
            str(times),
        ],
        input=b"\n".join((orjson.dumps(CONTRACT), *LOG)),
        capture_output=True,
        cwd=ROOT,
        env=surroundings(folder / "temporary"),
        timeout=ENDS_S_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return orjson.loads(done.stdout)


def test_double_delivery_and_a_replay_of_the_topic_change_no_result(tmp_path: Path) -> None:
    once = deliver(tmp_path, "store", "first")
    assert once["outcomes"] == [
        ["a1", "accepted", None], ["a1", "conflict", "conflict"], ["v1", "accepted", None], ["v2", "accepted", None],
        ["u1", "accepted", None], ["u2", "refused", "undone_already"], ["t1", "accepted", None],
    ]  # fmt: skip
    assert [void["id"] for void in once["voids"]] == ["v2"]
    assert (once["rows"], once["letters"], len(once["versions"])) == (7, 1, 1)
    again = deliver(tmp_path, "store", "first")
    assert again == once
    twice = deliver(tmp_path, "twice", "first", times=2)
    assert (twice["rows"], twice["letters"]) == (14, 2)
    assert _readers(twice) == _readers(once)
    later = deliver(tmp_path, "store", "another log", times=2)
    assert _readers(later) == _readers(once)


def _readers(read: Any) -> Any:
    """Distinct outcomes, voids and versions."""
    return [list(dict.fromkeys(map(tuple, read["outcomes"]))), read["voids"], read["versions"]]
