"""Refusals of ``seatbeat run``: place, reason, remedy, and never a traceback."""

from __future__ import annotations

import gzip
import json
import re
from concurrent.futures import Future
from dataclasses import replace

import pytest

from pipeline.fleet.clients import fleet
from tests.integration.conftest import SideBySide
from tests.support.evidence.small_world import CONTRACT, PLAN, World
from tests.support.process.seatbeat_process import Ended, seatbeat


class Runs:
    """The runs of this module, all started before the first test asks for one."""

    def __init__(self, world: World, side_by_side: SideBySide) -> None:
        self.strict: Future[Ended] = side_by_side.start(lambda: self._strict(world))
        self.uncovered: Future[Ended] = side_by_side.start(lambda: self._uncovered(world))
        self.cut: Future[Ended] = side_by_side.start(lambda: self._cut(world))
        self.full: Future[Ended] = side_by_side.start(lambda: self._full(world))
        self.occupied: Future[Ended] = side_by_side.start(lambda: self._occupied(world))
        self.foreign: Future[Ended] = side_by_side.start(lambda: self._foreign(world))

    def _strict(self, world: World) -> Ended:
        path = world.folder / "one-broken.ndjson"
        path.write_bytes(b"\n".join([*world.heartbeats[:20], b"{", *world.heartbeats[20:40]]))
        return world.run(path, options=("--strict", "--output", "csv"))

    def _uncovered(self, world: World) -> Ended:
        contract, path = world.folder / "uncovered.yaml", world.folder / "early.ndjson"
        contract.write_text(CONTRACT.partition("entitlements")[0] + "default_policy: bentley-e365\n")
        path.write_bytes(b"\n".join(fleet(replace(PLAN, period="2016Q1", machines=2))))
        return world.run(path, contract=contract, period="2016Q1")

    def _cut(self, world: World) -> Ended:
        path = world.folder / "cut.ndjson.gz"
        whole = gzip.compress(b"\n".join(world.heartbeats))
        path.write_bytes(whole[: len(whole) // 2])
        return world.run(path)

    def _full(self, world: World) -> Ended:
        options = ("--output", "json", "--data-dir", world.folder / "full disk")
        return world.run(world.folder / "whole.ndjson", options=options, file_bytes_max=32 * 1024)

    def _foreign(self, world: World) -> Ended:
        """Files that hold no heartbeats by the line, and one broken line of a file that does."""
        text = b"\n".join(world.heartbeats[:20]).decode()
        contents = {
            "foreign-utf16.ndjson": text.encode("utf-16"), "foreign-returns.ndjson": text.replace("\n", "\r").encode(),
            "foreign-packed.ndjson": gzip.compress(text.encode()), "foreign-broken.ndjson": f"{{\n{text}".encode(),
            "foreign-layout.json": json.dumps([json.loads(line) for line in text.splitlines()], indent=2).encode(),
        }  # fmt: skip
        for name, content in contents.items():
            (world.folder / name).write_bytes(content)
        return world.run(*(world.folder / name for name in contents), options=("--output", "csv"))

    def _occupied(self, world: World) -> Ended:
        """A foreign data folder: a file where the folder of tables should be."""
        folder = world.folder / "not a store"
        folder.mkdir()
        (folder / "store").touch()
        return world.run(world.folder / "whole.ndjson", options=("--data-dir", folder))


@pytest.fixture(scope="module")
def runs(world: World, side_by_side: SideBySide) -> Runs:
    return Runs(world, side_by_side)


def test_strict_ends_with_status_2_and_no_statement(runs: Runs) -> None:
    ended = runs.strict.result()
    assert (ended.status, ended.out) == (2, b"")
    assert "one-broken.ndjson:21: bad_json" in ended.err
    assert "--strict: no statement" in ended.err


def test_a_period_before_the_default_policy_is_refused_with_a_remedy(runs: Runs) -> None:
    ended = runs.uncovered.result()
    assert (ended.status, ended.out) == (2, b"")
    assert "uncovered.yaml" in ended.err
    assert "bentley-e365" in ended.err
    assert "Choose a default_policy that covers the period" in ended.err


def test_a_truncated_compressed_file_is_refused_with_the_last_line_read(runs: Runs) -> None:
    ended = runs.cut.result()
    assert (ended.status, ended.out) == (2, b"")
    assert re.search(r"cut\.ndjson\.gz:\d{3,}: cannot be read: Compressed file ended", ended.err)
    assert "Traceback" not in ended.err


@pytest.mark.usefixtures("_embedded_broker")
def test_a_full_disk_fails_the_run_with_a_message(runs: Runs) -> None:
    ended = runs.full.result()
    assert (ended.status, ended.out) == (1, b"")
    assert "seatbeat: the pipeline failed: " in ended.err
    assert "File too large" in ended.err
    assert "Traceback" not in ended.err


def test_files_of_another_kind_are_dead_letters_and_named_with_their_cause(runs: Runs, world: World) -> None:
    ended = runs.foreign.result()
    assert ended.status == 0
    hints = ended.err[ended.err.rindex("could not be used") :].splitlines()[1:]
    assert [hint.removeprefix(f"seatbeat: {world.folder}/").partition(". ")[0] for hint in hints] == [
        "foreign-utf16.ndjson is in UTF-16",
        "foreign-returns.ndjson ends its lines with a carriage return alone",
        "foreign-packed.ndjson is compressed with gzip, and its name does not end in .gz",
        "foreign-layout.json holds JSON laid out over several lines, but a line must hold it whole",
    ]


def test_a_folder_that_the_engine_cannot_open_is_refused(runs: Runs) -> None:
    ended = runs.occupied.result()
    assert (ended.status, ended.out) == (2, b"")
    assert "not a store: " in ended.err
    assert "Not a directory" in ended.err
    assert "Check that it may be written to" in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("contract", "given", "period", "options", "message"),
    [
        ("nowhere.yaml", "plain.ndjson", "2022Q2", "", "nowhere.yaml"),
        ("broken.yaml", "plain.ndjson", "2022Q2", "", "broken.yaml:1"),
        ("contract.yaml", "nowhere.ndjson", "2022Q2", "", "nowhere.ndjson: cannot be read"),
        ("contract.yaml", "empty.gz", "2022Q2", "", "empty.gz: cannot be read: it is empty"),
        ("contract.yaml", "empty.zst", "2022Q2", "", "empty.zst: cannot be read: it is empty"),
        ("contract.yaml", ".", "2022Q2", "", "Give the path of a readable file"),
        ("contract.yaml", "plain.ndjson", "2022-2", "", "'2022-2' is not a calendar quarter"),
        ("contract.yaml", "plain.ndjson", "2022Q2", "--data-dir plain.ndjson/store", "store: cannot be made"),
        ("contract.yaml", "plain.ndjson", "2022Q2", "--data-dir what?", "no path with ? or #"),
        ("contract.yaml", "plain.ndjson", "2022Q2", "--format flexnet", "no line has the form"),
        ("contract.yaml", "plain.ndjson", "2022Q2", "--format flexnet --timezone Prague", "not a known time zone"),
    ],
)
def test_invalid_input_is_refused_with_place_and_remedy(
    contract: str, given: str, period: str, options: str, message: str, world: World
) -> None:
    (world.folder / "broken.yaml").write_text("accounts: studio\n")
    for name in ("empty.gz", "empty.zst"):
        (world.folder / name).touch()
    words = [str(world.folder / word) if word in {"plain.ndjson/store", "what?"} else word for word in options.split()]
    ended = world.run(world.folder / given, period=period, contract=world.folder / contract, options=words)
    assert (ended.status, ended.out) == (2, b"")
    assert message in ended.err
    assert "Traceback" not in ended.err
    assert not (world.folder / "what?").exists()


@pytest.mark.usefixtures("_embedded_broker")
def test_a_broker_program_that_is_not_there_is_named(world: World) -> None:
    environment = {"SEATBEAT_EMBEDDED_BROKER": "/nowhere/broker"}
    ended = world.run(world.folder / "plain.ndjson", environment=environment)
    assert (ended.status, ended.out) == (1, b"")
    assert "SEATBEAT_EMBEDDED_BROKER: /nowhere/broker cannot be run: No such file or directory" in ended.err
    assert "Traceback" not in ended.err


def test_check_reports_a_valid_contract_or_its_mistakes(world: World) -> None:
    good = seatbeat("check", world.contract, temporary=world.temporary)
    assert (good.status, good.err) == (0, "")
    (world.folder / "unpriced.yaml").write_text(CONTRACT.replace(', list_price: "6000.00"', ""))
    strict = seatbeat("check", "--strict", world.folder / "unpriced.yaml", temporary=world.temporary)
    assert (strict.status, strict.out) == (2, b"")
    assert "price" in strict.err


def test_no_refusal_leaves_anything_in_the_temporary_folder(runs: Runs, world: World) -> None:
    for run in (runs.strict, runs.uncovered, runs.cut, runs.full, runs.occupied, runs.foreign):
        run.result()
    assert list(world.temporary.iterdir()) == []
