"""Closing a quarter from the command line, and what statements say before and after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from tests.support.evidence.evidence_shorthand import instant
from tests.support.process.seatbeat_process import Ended, seatbeat

CONTRACT: Final = """\
account: acme
country: CZ
currency: EUR
products:
  MSTN: {name: MicroStation, term_license_price: "100.00"}
entitlements:
  - {product: MSTN, model: pooled, policy: bentley-select, quantity: 1, from: 2022-01-01}
"""
MAY: Final = instant("2022-05-03 09:01")
AUGUST: Final = instant("2022-08-03 09:01")


def heartbeats(opened_at: int, first: int, last: int) -> bytes:
    """An hour of use on each of some machines, never closed."""
    records = [
        {
            "v": 1, "account": "acme", "product": "MSTN", "machine": f"pc{number}", "user": f"user {number}",
            "session": f"{opened_at}", "opened_at": opened_at, "since": opened_at, "at": opened_at + 3_600_000,
        }
        for number in range(first, last + 1)
    ]  # fmt: skip
    return b"".join(orjson.dumps(record) + b"\n" for record in records)


@dataclass(frozen=True, slots=True)
class Office:
    """A folder with two versions of a contract, evidence, and a store."""

    folder: Path

    def say(self, *arguments: str) -> Ended:
        return seatbeat(*arguments, "--data-dir", self.folder / "store", temporary=self.folder / "temporary")

    def run(self, evidence: str, period: str, contract: str = "one.yaml") -> Ended:
        options = ("--contract", str(self.folder / contract), "--input", str(self.folder / evidence))
        return self.say("run", *options, "--period", period, "--output", "json")

    def run_refused(self, evidence: str, period: str, contract: str) -> Ended:
        return self.say("run", "--contract", contract, "--input", str(self.folder / evidence), "--period", period)

    def statement(self, period: str, *options: str) -> Any:
        ended = self.say("statement", "--period", period, "--output", "json", *options)
        assert ended.status == 0, ended.err
        return ended.json

    def close(self, period: str, *options: str) -> Ended:
        return self.say("close", period, "--output", "json", *options)


Story = dict[str, Any]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Q2 closed by force, late evidence, a corrected contract, and Q3 closed with adjustments."""
    office = Office(tmp_path_factory.mktemp("office"))
    (office.folder / "one.yaml").write_text(CONTRACT)
    (office.folder / "two.yaml").write_text(CONTRACT.replace("quantity: 1", "quantity: 2"))
    (office.folder / "dollars.yaml").write_text(CONTRACT.replace("EUR", "USD"))
    (office.folder / "may").write_bytes(heartbeats(MAY, 1, 11))
    (office.folder / "august").write_bytes(heartbeats(AUGUST, 1, 5))
    (office.folder / "late").write_bytes(heartbeats(MAY, 12, 13) + heartbeats(AUGUST, 1, 1))
    steps: Story = {"open": office.run("may", "2022Q2").json}
    steps["unknown version"] = office.close("2022Q2", "--contract", str(office.folder / "two.yaml"), "--force")
    steps["incomplete"] = office.close("2022Q2", "--by", "eva")
    steps["forced"] = office.close("2022Q2", "--by", "eva", "--force", "--id", "c1")
    steps["again"] = office.close("2022Q2", "--by", "eva", "--id", "c1")
    steps["by another"] = office.close("2022Q2", "--by", "petr", "--force")
    steps["not over"] = office.close("2099Q4", "--force")
    steps["run of the closed"] = office.run("late", "2022Q2").json
    steps["closed"] = office.statement("2022Q2")
    steps["late"] = office.statement("2022Q3")
    steps["table"] = office.say("statement", "--period", "2022Q3").out.decode()
    steps["commands"] = office.say("commands", "--output", "json").json
    steps["silent"] = office.say("silent", "--period", "2022Q2", "--output", "json").json
    steps["corrected"] = office.run("late", "2022Q3", "two.yaml").json
    steps["versions"] = office.say("contract", "list", "--output", "json").json
    steps["as of c1"] = office.statement("2022Q2", "--as-of", "c1")
    steps["as of Q2"] = office.statement("2022Q2", "--as-of", "2022Q2")
    hashes = {version["current"]: version["contract"] for version in steps["versions"]}
    steps["as of now"] = office.statement("2022Q3", "--as-of", hashes[True][:15])
    steps["as of then"] = office.statement("2022Q3", "--as-of", hashes[False].removeprefix("sha256:")[:9])
    steps["recomputed"] = office.statement("2022Q2", "--as-of", hashes[True])
    steps["wrong quarter"] = office.say("statement", "--period", "2022Q3", "--as-of", "c1")
    steps["unheard of"] = office.say("statement", "--period", "2022Q3", "--as-of", "nothing")
    steps["Q3"] = office.close("2022Q3", "--force")
    dollars = str(office.folder / "dollars.yaml")
    steps["dollars applied"] = office.say("contract", "apply", dollars)
    steps["dollars run"] = office.run_refused("august", "2022Q4", dollars)
    steps["versions after"] = office.say("contract", "list", "--output", "json").json
    steps["after"] = office.statement("2022Q4")
    return steps


def test_an_incomplete_quarter_is_closed_only_by_force_which_is_recorded(story: Story) -> None:
    refused = story["incomplete"]
    assert (refused.status, refused.out) == (2, b"")
    assert "incomplete: Evidence is not complete to the end of 2022Q2 (up to 2022-05-03T10:01:00Z)" in refused.err
    forced = story["forced"]
    assert forced.status == 0, forced.err
    assert "by force: evidence was not complete to its end" in forced.err
    assert forced.json == {**story["open"], "state": "closed"}


def test_a_second_close_is_refused_with_author_and_time_of_the_first(story: Story) -> None:
    assert (story["again"].status, story["again"].out) == (0, story["forced"].out)
    other = story["by another"]
    assert (other.status, other.out) == (2, b"")
    assert "already_closed: 2022Q2 was closed by eva at 20" in other.err
    assert "(c1)" in other.err
    assert [(command["id"], command["outcome"]) for command in story["commands"]] == [("c1", "accepted")]


def test_a_contract_in_another_currency_over_closed_quarters_is_refused_and_nothing_is_stored(story: Story) -> None:
    for refused in (story["dollars applied"], story["dollars run"]):
        assert (refused.status, refused.out) == (2, b"")
        assert "counts in USD, but 2022Q2 was closed in EUR. Keep the currency" in refused.err
    assert story["versions after"] == story["versions"]
    assert story["after"]["basis"]["heartbeats"] == story["recomputed"]["basis"]["heartbeats"]


def test_a_quarter_that_is_not_over_cannot_be_closed_even_by_force(story: Story) -> None:
    assert story["not over"].status == 2
    assert "not_over: 2099Q4 is not over before 2100-01-01T00:00:00Z" in story["not over"].err


def test_a_quarter_can_be_closed_only_under_a_stored_version_of_the_contract(story: Story) -> None:
    assert story["unknown version"].status == 2
    assert "is not among the stored versions of the contract" in story["unknown version"].err


def test_a_closed_statement_does_not_change(story: Story) -> None:
    assert story["closed"] == story["run of the closed"] == story["forced"].json


def test_late_evidence_is_an_adjustment_on_the_open_statement(story: Story) -> None:
    late = story["late"]
    assert (late["state"], late["total"], late["adjustments_total"]) == ("open", "0.00", "200.00")
    assert late["adjustments"] == [
        {"period": "2022Q2", "kind": "late_evidence", "product": "MSTN", "country": "CZ", "model": "pooled",
         "before": "1000.00", "after": "1200.00", "amount": "200.00"}
    ]  # fmt: skip
    assert all(text in story["table"] for text in ("late evidence", "1200.00", "together 200.00 EUR", "open"))


def test_a_retroactive_contract_is_an_adjustment_of_its_own_kind(story: Story) -> None:
    kinds = [(adjustment["kind"], adjustment["amount"]) for adjustment in story["corrected"]["adjustments"]]
    assert kinds == [("late_evidence", "200.00"), ("contract", "-100.00")]
    assert story["closed"] == story["as of c1"] == story["as of Q2"]


def test_a_statement_can_be_recomputed_under_any_version_of_the_contract(story: Story) -> None:
    assert story["as of now"] == story["corrected"]
    assert story["as of then"] == story["late"]
    assert (story["recomputed"]["state"], story["recomputed"]["total"]) == ("open", "1100.00")
    assert "c1 closed 2022Q2, not 2022Q3" in story["wrong quarter"].err
    assert "names no close and no contract" in story["unheard of"].err
    assert (story["wrong quarter"].status, story["unheard of"].status) == (2, 2)


def test_adjustments_on_a_closed_quarter_are_frozen(story: Story) -> None:
    assert story["Q3"].status == 0, story["Q3"].err
    assert story["Q3"].json["adjustments"] == story["corrected"]["adjustments"]
    assert story["after"]["adjustments"] == []


def test_silent_machines_of_the_quarter_are_listed(story: Story) -> None:
    assert [machine["machine"] for machine in story["silent"]["machines"]] == sorted(
        f"pc{number}" for number in range(1, 14)
    )
    assert "11 silent machines" not in story["incomplete"].err
    assert "0 silent machines" in story["forced"].err
