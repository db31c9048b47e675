"""``seatbeat run --format flexnet`` over the real logs of a licence server, compared with known figures."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from pipeline.codec.flexnet import FlexnetLog, read_flexnet
from tests.integration.conftest import SideBySide
from tests.support.auditors.recompute import lines_of
from tests.support.evidence.small_world import World
from tests.support.process.processes import ROOT
from tests.support.process.seatbeat_process import Ended, ended, running

MINIMAL: Final = ROOT / "schemas" / "contracts" / "minimal.yaml"


@dataclass(frozen=True, slots=True)
class Logs:
    """The runs of this module: the log of 2022, and that of 2016 twice into one store."""

    log_2022: Future[Ended]
    log_2016: Future[tuple[Ended, Ended]]
    cut_out: Future[Ended]


@pytest.fixture(scope="module")
def logs(world: World, side_by_side: SideBySide, flexnet_logs: Path) -> Logs:
    def run(path: Path, period: str, data_dir: str) -> Ended:
        options = ("--format", "flexnet", "--output", "json", "--data-dir", world.folder / data_dir)
        return world.run(path, contract=MINIMAL, period=period, options=options)

    def twice() -> tuple[Ended, Ended]:
        path = flexnet_logs / "autodesk-2016-04.log"
        return run(path, "2016Q1", "log-2016"), run(path, "2016Q1", "log-2016")

    def cut_out() -> Ended:
        path = world.folder / "cut-out.log"
        lines = (flexnet_logs / "autodesk-2022q2.log").read_bytes().splitlines()[:2_000]
        lines.insert(1_000, b' 9:99:99 (adskflex) OUT: "64300ACD_F" UNOBODY@hnowhere')
        path.write_bytes(b"\r\n".join(lines))
        return run(path, "2022Q2", "log-cut-out")

    return Logs(
        side_by_side.start(lambda: run(flexnet_logs / "autodesk-2022q2.log", "2022Q2", "log-2022")),
        side_by_side.start(twice),
        side_by_side.start(cut_out),
    )


def test_the_peaks_of_the_log_of_2022_match_the_known_figures(logs: Logs) -> None:
    peaks = _by_product(logs.log_2022.result())
    assert peaks["64801INVPROSA_F"]["peak"] == 36
    assert peaks["64300ACD_F"]["peak"] == 146


def test_the_log_of_2016_is_counted_by_the_policy_of_each_quarter(logs: Logs, world: World) -> None:
    first, _ = logs.log_2016.result()
    line = _by_product(first)["64300ACD_F"]
    assert (line["peak"], line["overuse_days"], line["term_licenses"]) == (12, 2, 0)
    later = world.ask("statement", "log-2016", "--period", "2016Q2", "--output", "json")
    assert _by_product(later)["64300ACD_F"]["peak"] == 10


@pytest.mark.parametrize("name", ["autodesk-2016-04.log", "autodesk-2022q2.log"])
def test_every_line_equals_that_of_the_pure_rules(name: str, logs: Logs, flexnet_logs: Path) -> None:
    ended = logs.log_2016.result()[0] if "2016" in name else logs.log_2022.result()
    values = [orjson.dumps(session.heartbeat) for session in _read(flexnet_logs / name).sessions]
    assert ended.json["lines"] == lines_of(MINIMAL, values, ended.json["period"])
    assert ended.json["basis"]["heartbeats"] == len(values)


def test_reading_a_log_again_changes_nothing(logs: Logs) -> None:
    first, second = logs.log_2016.result()
    assert (second.status, second.out) == (0, first.out)


def test_every_denial_is_stored_once(logs: Logs, world: World, flexnet_logs: Path) -> None:
    logs.log_2016.result()
    expected = {denial.id for denial in _read(flexnet_logs / "autodesk-2016-04.log").denials}
    assert _stored(world, "log-2016", "SELECT count() FROM denials FINAL") == [[len(expected)]]
    logs.log_2022.result()
    expected = {denial.id for denial in _read(flexnet_logs / "autodesk-2022q2.log").denials}
    rows = _stored(world, "log-2022", "SELECT id, user FROM denials FINAL")
    assert {row[0] for row in rows} == expected
    assert all(row[1] == row[1].lower() for row in rows)
    assert expected


def test_a_broken_line_of_a_log_is_reported_with_its_number(logs: Logs) -> None:
    ended = logs.cut_out.result()
    assert ended.status == 0
    assert "cut-out.log:1001: " in ended.err
    assert ended.json["basis"]["dead_letters"] == 1
    assert ended.json["basis"]["heartbeats"] > 500


def _by_product(ended: Ended) -> dict[str, dict[str, Any]]:
    assert ended.status == 0, ended.err
    return {line["product"]: line for line in ended.json["lines"]}


def _read(path: Path) -> FlexnetLog:
    return read_flexnet([(path.name, path.read_bytes().splitlines())], account="minimal")


def _stored(world: World, data_dir: str, query: str) -> list[list[Any]]:
    command = (
        sys.executable,
        "-m",
        "tests.support.process.scenario_process",
        "stored",
        "--data-dir",
        world.folder / data_dir,
    )
    with running((*command, "--query", query), temporary=world.temporary) as process:
        rows: list[list[Any]] = ended(process).json["rows"]
        return rows
