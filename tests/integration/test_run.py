"""``seatbeat run`` as a process over heartbeat files of every format, compared with the pure rules."""

from __future__ import annotations

import csv
import io
import re
from concurrent.futures import Future
from typing import Any

import jsonschema
import orjson
import pytest

from pipeline.codec.topics.heartbeats import decode
from pipeline.model.instants import iso
from tests.integration.conftest import SideBySide
from tests.support.auditors.recompute import lines_of, valid
from tests.support.evidence.small_world import BROKEN, BROKEN_AT, CONTRACT, OTHERS, World
from tests.support.process.processes import ROOT
from tests.support.process.seatbeat_process import Ended, seatbeat


class Runs:
    """The runs of this module, all started before the first test asks for one."""

    def __init__(self, world: World, side_by_side: SideBySide) -> None:
        self.in_parts: Future[Ended] = side_by_side.start(lambda: self._in_parts(world))
        self.faults: Future[Ended] = side_by_side.start(lambda: self._faults(world))
        self.empty: Future[Ended] = side_by_side.start(lambda: self._empty(world))
        self.piped: Future[tuple[Ended, Ended]] = side_by_side.start(lambda: self._piped(world))

    def _in_parts(self, world: World) -> Ended:
        names = ("plain.ndjson", "frames.ndjson", "part.ndjson.gz", "part.ndjson.zst")
        inputs = [world.folder / name for name in names]
        return world.run(*inputs, "-", stdin=(world.folder / "stdin").read_bytes())

    def _faults(self, world: World) -> Ended:
        options = ("--output", "json", "--data-dir", world.folder / "faults")
        return world.run(world.folder / "faults.ndjson", options=options)

    def _empty(self, world: World) -> Ended:
        (world.folder / "empty.ndjson").touch()
        return world.run(world.folder / "empty.ndjson", options=("--output", "csv"))

    def _piped(self, world: World) -> tuple[Ended, Ended]:
        knobs = ("--machines", "3", "--beat", "6h", "--broken", "0.05")
        simulated = seatbeat("simulate", *knobs, temporary=world.temporary)
        return simulated, world.run("-", stdin=simulated.out)


@pytest.fixture(scope="module")
def runs(world: World, side_by_side: SideBySide) -> Runs:
    return Runs(world, side_by_side)


def test_the_lines_of_the_statement_equal_those_of_the_pure_rules(
    runs: Runs, world: World, kept: dict[str, Any]
) -> None:
    assert kept["lines"] == world.expected()
    assert [(line["product"], line["entitled"]) for line in kept["lines"]] == [("MSTN", 4), ("PLAX", 5), ("STAAD", 2)]
    assert kept["lines"][0]["term_licenses"] > 0


def test_the_basis_states_the_counts_and_the_completeness(world: World, kept: dict[str, Any]) -> None:
    assert 2_000 < len(world.heartbeats) < 20_000
    assert kept["basis"]["heartbeats"] == len(world.heartbeats)
    assert kept["basis"]["dead_letters"] == 0
    assert kept["basis"]["complete_until"] == iso(max(beat.at for beat in valid(world.heartbeats)))
    assert kept["basis"]["engine"] == "embedded"
    assert (kept["account"], kept["period"], kept["currency"]) == ("studio", "2022Q2", "EUR")


def test_the_statement_matches_its_schema(kept: dict[str, Any]) -> None:
    schema = ROOT / "schemas" / "statement.v1.schema.json"
    jsonschema.validate(kept, orjson.loads(schema.read_bytes()))


def test_a_run_prints_only_the_statement(run_twice: tuple[Ended, Ended]) -> None:
    assert [ended.err for ended in run_twice] == ["", ""]


def test_running_the_same_file_again_changes_no_byte_of_the_statement(run_twice: tuple[Ended, Ended]) -> None:
    first, second = run_twice
    assert second.status == 0
    assert second.out == first.out


def test_frames_compressed_files_and_stdin_give_the_same_statement(runs: Runs, world: World) -> None:
    ended = runs.in_parts.result()
    assert (ended.status, ended.err) == (0, "")
    assert ended.json["lines"] == world.expected()
    assert ended.json["basis"]["heartbeats"] == len(world.heartbeats)


def test_order_and_duplicates_of_heartbeats_change_no_line(runs: Runs, world: World, kept: dict[str, Any]) -> None:
    ended = runs.faults.result()
    assert ended.status == 0, ended.err
    assert ended.json["lines"] == kept["lines"]
    assert ended.json["total"] == kept["total"]
    assert ended.json["basis"]["heartbeats"] == 2 * len(world.heartbeats)


def test_broken_lines_are_reported_with_file_and_line_and_counted(runs: Runs) -> None:
    ended = runs.faults.result()
    codes_by_line = dict(re.findall(r"faults\.ndjson:(\d+): (\w+):", ended.err))
    assert codes_by_line == {str(place + 1): code for place, code in zip(BROKEN_AT, BROKEN.values(), strict=True)}
    assert ended.json["basis"]["dead_letters"] == len(BROKEN)
    assert f"{len(BROKEN)} could not be used and are kept as dead letters: bad_encoding 1, bad_json 1" in ended.err


def test_heartbeats_of_other_accounts_are_metered_and_left_out(runs: Runs, world: World) -> None:
    runs.faults.result()
    other = world.folder / "other.yaml"
    other.write_text("account: other\ncountry: CZ\ncurrency: EUR\n")
    ended = world.ask("statement", "faults", "--contract", other, "--period", "2022Q2", "--output", "json")
    assert ended.json["basis"]["heartbeats"] == OTHERS
    others = [heartbeat.replace(b'"account":"studio"', b'"account":"other"') for heartbeat in world.heartbeats[:OTHERS]]
    assert ended.json["lines"] == lines_of(other, others, "2022Q2")
    assert ended.json["lines"]


def test_a_broken_line_without_an_account_does_not_get_its_neighbours_account(runs: Runs, world: World) -> None:
    runs.faults.result()
    other = world.folder / "others-own.yaml"
    other.write_text(CONTRACT.replace("account: studio", "account: other"))
    ended = world.ask("statement", "faults", "--contract", other, "--period", "2022Q2", "--output", "json")
    assert ended.json["basis"]["dead_letters"] == 0


def test_an_empty_file_gives_a_statement_of_zeros(runs: Runs) -> None:
    ended = runs.empty.result()
    assert (ended.status, ended.err) == (0, "")
    rows = list(csv.DictReader(io.StringIO(ended.out.decode())))
    assert [(row["product"], row["entitled"], row["peak"], row["peak_slots"]) for row in rows] == [
        ("MSTN", "4", "0", ""),
        ("PLAX", "5", "0", ""),
        ("STAAD", "2", "0", ""),
    ]


def test_a_simulated_fleet_can_be_piped_into_a_run(runs: Runs, world: World) -> None:
    simulated, ended = runs.piped.result()
    assert (simulated.status, ended.status) == (0, 0)
    values = simulated.out.splitlines()
    broken = sum(len(decode(value).invalid) for value in values)
    assert ended.json["lines"] == lines_of(world.contract, values, "2022Q2")
    assert ended.json["basis"]["heartbeats"] == len(valid(values))
    assert ended.json["basis"]["dead_letters"] == broken > 0
    assert f"seatbeat: {broken} could not be used" in ended.err
    assert len(re.findall(r"^seatbeat: -:\d+: ", ended.err, re.MULTILINE)) == min(broken, 20)


def test_no_run_leaves_anything_in_the_temporary_folder(runs: Runs, world: World, kept: dict[str, Any]) -> None:
    for run in (runs.in_parts, runs.faults, runs.empty):
        run.result()
    runs.piped.result()
    assert list(world.temporary.iterdir()) == []
