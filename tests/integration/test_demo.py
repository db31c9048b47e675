"""``seatbeat demo`` as a process: the statement, explanations, and commands to paste."""

from __future__ import annotations

import re
import shlex
import subprocess
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.integration.conftest import SideBySide
from tests.support.process.processes import ROOT
from tests.support.process.seatbeat_process import Ended, seatbeat, surroundings


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, side_by_side: SideBySide) -> tuple[Ended, Path]:
    temporary = tmp_path_factory.mktemp("demo")
    played: Future[Ended] = side_by_side.start(lambda: seatbeat("demo", temporary=temporary))
    return played.result(), temporary


def _row(text: str, product: str) -> list[str]:
    (row,) = (line for line in text.splitlines() if line.startswith(f"│ {product} "))
    return [cell.strip() for cell in row.strip("│").split("│")]


def test_the_statement_has_the_planned_lines_of_the_sample_fleet(demo: tuple[Ended, Path]) -> None:
    ended, _ = demo
    assert ended.status == 0, ended.err
    text = ended.out.decode()
    _, _, _, entitled, peak, _, over, _, term_licences, unit_price, amount = _row(text, "MSTN")
    assert (entitled, peak, over, term_licences) == ("20", "23", "3", "3")
    assert (unit_price, amount) == ("960.00", "2880.00")
    assert _row(text, "STAAD")[3:5] == ["4", "5"]
    assert "Total " in text


def test_the_peak_is_explained_in_a_sentence(demo: tuple[Ended, Path]) -> None:
    ended, _ = demo
    text = ended.out.decode()
    slot = _row(text, "MSTN")[5]
    (sentence,) = (line for line in text.splitlines() if line.startswith("Why the peak of MSTN is 23: "))
    assert re.search(rf"from {slot} to \d\d:\d0 UTC, 23 machines of \d+ users were past their first slot", sentence)
    assert "3 more than the 20 entitled" in sentence
    assert re.search(r"[a-z]{2}-\d+ \([a-z.]+@[a-z.]+\)", sentence)


def test_tokens_are_charged_and_a_charge_is_explained(demo: tuple[Ended, Path]) -> None:
    text = demo[0].out.decode()
    assert _row(text, "ACD") == ["ACD", "CZ", "autodesk-flex@2021-09-24", "31", "217", "0"]
    assert "Tokens: 600 granted, 217 debited, 65 expired, balance 318" in text
    (sentence,) = (line for line in text.splitlines() if line.startswith("Why ACD cost "))
    assert "7 tokens from 2022-05-06 08:03 to 2022-05-07 08:03 UTC (7 from T-2022)" in sentence
    assert "It stayed open until 2022-05-09 07:00, but idle since 08:56: that cost nothing." in sentence


def test_every_suggested_command_runs(demo: tuple[Ended, Path]) -> None:
    ended, temporary = demo
    lines = ended.out.decode().partition("\nNext:\n")[2].splitlines()
    commands = [shlex.split(line) for line in lines if line.startswith("  ") and not line.startswith("   ")]
    names = {"explain", "usage", "tokens", "forecast", "statement", "run"}
    assert {word for command in commands for word in command} & names == names
    for command in commands:
        done = subprocess.run(
            command, cwd=ROOT, env=surroundings(temporary), capture_output=True, check=False, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, b""), command
        assert done.stdout


def test_it_leaves_only_its_store(demo: tuple[Ended, Path]) -> None:
    _, temporary = demo
    assert [path.name.startswith("seatbeat-demo-") for path in temporary.iterdir()] == [True]
