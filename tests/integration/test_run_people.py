"""Seats of people through the whole pipeline: the rows of RULES 5's table, each with its own product."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import iso
from tests.golden.tables import Scenario, read_scenarios
from tests.support.evidence.schema_examples import SCHEMAS, validator
from tests.support.process.processes import ROOT
from tests.support.process.seatbeat_process import Ended, seatbeat

ROWS: Final = 7
"""The first scenarios of the file are the table's rows."""
MODELS: Final = ("named", "pooled", "practitioner")


@dataclass(frozen=True, slots=True)
class People:
    """A run over the rows of the table, its store, and its output."""

    folder: Path
    scenarios: tuple[Scenario, ...]
    ended: Ended

    def ask(self, command: str, *options: str) -> Ended:
        return seatbeat(command, "--data-dir", self.folder / "kept", *options, temporary=self.folder)

    def line(self, product: str, model: str) -> dict[str, Any]:
        (line,) = (line for line in self.ended.json["lines"] if (line["product"], line["model"]) == (product, model))
        return dict(line)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    folder = tmp_path_factory.mktemp("people")
    path = ROOT / "tests" / "golden" / "people" / "waterfall.txt"
    scenarios = tuple(read_scenarios(path))[:ROWS]
    (folder / "contract.yaml").write_text("\n".join(contract(scenarios)))
    (folder / "use.ndjson").write_bytes(
        b"\n".join(orjson.dumps(record(beat, f"R{n}")) for n, row in enumerate(scenarios, 1) for beat in row.beats)
    )
    options = ("--period", "2022Q2", "--output", "json", "--data-dir", folder / "kept")
    arguments = ("--contract", folder / "contract.yaml", "--input", folder / "use.ndjson", *options)
    return People(folder, scenarios, seatbeat("run", *arguments, temporary=folder))


def contract(scenarios: tuple[Scenario, ...]) -> Iterator[str]:
    """The scenarios' contract with a product each, a checkout on the machine of row 6, and an assignment too many."""
    yield from ("account: acme", "country: CZ", "currency: EUR", "products:")
    codes = [f"R{number}" for number in range(1, len(scenarios) + 1)]
    yield from (f'  {code}: {{term_license_price: "960.00"}}' for code in codes)
    yield "entitlements:"
    for code in codes:
        for model in MODELS:
            yield f"  - {{product: {code}, model: {model}, quantity: 1, from: 2022-01-01}}"
    yield "assignments:"
    yield from (f"  - {{product: {code}, user: Jana, at: 2022-05-01T08:00:00Z}}" for code in codes)
    yield "  - {product: R1, user: karl, at: 2022-05-02}"
    yield "checkouts:"
    yield "  - {product: R6, user: petr, machine: PC2, from: 2022-05-03, until: 2022-05-04}"


def record(beat: Heartbeat, product: str) -> dict[str, object]:
    """A heartbeat as a client writes it."""
    fields = {name: value for name, value in beat._asdict().items() if value != ""}
    return fields | {"v": 1, "account": "acme", "product": product}


def test_the_lines_of_a_run_match_the_table(people: People) -> None:
    assert people.ended.status == 0, people.ended.err
    assert validator(SCHEMAS[-1]).is_valid(people.ended.json)
    for number, scenario in enumerate(people.scenarios, 1):
        rows = {row["model"]: row for row in scenario.lines["2022Q2"]}
        pooled, named = people.line(f"R{number}", "pooled"), people.line(f"R{number}", "named")
        assert str(pooled["peak"]) == rows["pooled"]["peak"], scenario.name
        assert str(pooled["overuse"]) == rows["pooled"].get("overuse", "0"), scenario.name
        assert str(pooled["term_licenses"]) == rows["pooled"].get("term licences", "0"), scenario.name
        assert " ".join(named["users"]) == rows["named"]["users"].replace("-", ""), scenario.name
        assert str(named["overflow"]) == rows["named"]["overflow"], scenario.name
        assert people.line(f"R{number}", "practitioner")["users"] == ["jana"]
    assert people.ended.json["total"] == "1920.00"
    slots = sorted(at for at in people.scenarios[5].counts["MSTN", "CZ"])
    assert people.line("R6", "pooled")["peak_slots"] == [iso(at) for at in slots[:100]]


def test_the_statement_from_the_store_equals_that_of_the_run(people: People) -> None:
    assert people.ask("statement", "--period", "2022Q2", "--output", "json").json == people.ended.json


def test_a_refused_entry_of_a_list_is_reported_on_stderr(people: People) -> None:
    said = "assignments[7] of the contract is refused: no seat of R1 in CZ (practitioner) is free"
    assert said in people.ended.err
    assert said in people.ask("statement", "--period", "2022Q2").err


def test_tables_list_the_holders_of_seats_and_the_number_without_a_seat(people: People) -> None:
    text = people.ask("statement", "--period", "2022Q2").out.decode()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│ R3" in line]
    assert ["R3", "CZ", "named", "bentley-select@2016-04-01", "1", "1", "2", "jana"] in rows
    assert ["R3", "CZ", "practitioner", "bentley-select@2016-04-01", "1", "1", "", "jana"] in rows


def test_explain_names_the_seat_that_covers_a_session(people: People) -> None:
    tree = people.ask("explain", "--product", "R4", "--slot", "2022-05-02T09:10:00Z").out.decode()
    assert "1 of 1 entitled" in tree
    assert "is covered by the named seat of eva" in tree
    tree = people.ask("explain", "--product", "R1", "--slot", "2022-05-01T09:30:00Z").out.decode()
    assert "0 of 1 entitled" in tree
    assert "is covered by the practitioner seat of jana" in tree


def test_explain_lists_checkouts(people: People) -> None:
    ended = people.ask("explain", "--product", "R6", "--slot", "2022-05-03T03:00:00Z", "--output", "json")
    (unit,) = ended.json["units"]
    assert (unit["machine"], unit["users"], unit["sessions"]) == ("pc2", ["petr"], [])
    assert unit["checkouts"][0]["from"] == "2022-05-03T00:00:00Z"
    tree = people.ask("explain", "--product", "R6", "--slot", "2022-05-03T03:00:00Z").out.decode()
    assert "petr on pc2, checked out (contract-" in tree
