"""Replay of dead letters: a validator was too strict, is fixed, and its dead letters are replayed.

The commands run as processes over the same ``--data-dir``; the first has the strict validator.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from tests.integration.conftest import SideBySide
from tests.support.process.processes import ROOT
from tests.support.process.seatbeat_process import ENDS_S_MAX, Ended, seatbeat, surroundings

TOO_STRICT: Final = """
import sys
import pipeline.codec.columns.column_checks as by_columns
import pipeline.codec.topics.heartbeats as in_words
by_columns.TEXT_LENGTH_MAX = in_words.TEXT_LENGTH_MAX = 8
from pipeline.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
CONTRACT: Final = "account: acme\ncountry: CZ\ncurrency: EUR\n"
OPENED_AT: Final = 1_651_568_460_000


def heartbeat(machine: str, **more: Any) -> dict[str, Any]:
    fields = {
        "v": 1, "account": "acme", "product": "MSTN", "machine": machine, "user": "jana", "session": "s",
        "opened_at": OPENED_AT, "since": OPENED_AT, "at": OPENED_AT + 3_600_000,
    }  # fmt: skip
    return {name: value for name, value in {**fields, **more}.items() if value is not ...}


LINES: Final = (
    orjson.dumps(heartbeat("pc1")),
    orjson.dumps(heartbeat("workstation-1")),
    orjson.dumps([heartbeat("workstation-2"), [1, 2], heartbeat("pc2"), heartbeat("workstation-3", v=9)]),
    orjson.dumps(heartbeat("pc3", user=...)),
    orjson.dumps(heartbeat("pc3", user=...)),
    b'{"v": 1, "account": "acme" \x1b[2J',
    orjson.dumps(heartbeat("workstation-4", x="y" * 1_200_000)),
)
REFUSED: Final = {
    "bad_json": 1, "field_too_long": 2, "frame_too_large": 1, "missing_field": 2, "unknown_version": 1, "wrong_type": 1,
}  # fmt: skip
MENDED: Final = "2 heartbeats metered, 4 still invalid (bad_json 1, missing_field 1, unknown_version 1, wrong_type 1)"


@dataclass(frozen=True, slots=True)
class Story:
    """A folder with an input, a contract and the stores of runs over them."""

    folder: Path

    def ask(self, *arguments: str, store: str = "store") -> Ended:
        return seatbeat(*arguments, "--data-dir", self.folder / store, temporary=self.folder / "temporary")

    def letters(self, *options: str) -> Any:
        return self.ask("dead-letters", "list", "--output", "json", *options).json

    def run(self, store: str, *program: str) -> Ended:
        """``seatbeat run`` over the input, optionally by a Python program that changes the validator first."""
        arguments = [
            "run", "--contract", self.folder / "contract.yaml", "--input", self.folder / "beats.ndjson",
            "--period", "2022Q2", "--output", "json", "--data-dir", self.folder / store,
        ]  # fmt: skip
        done = subprocess.run(
            [sys.executable, *(program or ("-m", "pipeline.cli.main")), *map(str, arguments)],
            capture_output=True,
            cwd=ROOT,
            env=surroundings(self.folder / "temporary"),
            timeout=ENDS_S_MAX,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr.decode())


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs of the story's commands in their order."""

    before: Any
    dry: Ended
    after_dry: Any
    replayed: Ended
    usage: Any
    statement: Any
    after: Any
    again: Ended
    usage_again: Any
    statement_again: Any
    after_again: Any


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("dead-letters")
    (folder / "contract.yaml").write_text(CONTRACT)
    (folder / "beats.ndjson").write_bytes(b"\n".join(LINES) + b"\n")
    return Story(folder)


@pytest.fixture(scope="module")
def mended(story: Story, side_by_side: SideBySide) -> Future[Ended]:
    """The same input through the fixed validator, into another store."""
    return side_by_side.start(lambda: story.run("mended"))


@pytest.fixture(scope="module")
def outputs(story: Story, mended: Future[Ended]) -> Outputs:
    refused = story.run("store", "-c", TOO_STRICT)
    assert refused.status == 0, refused.err
    usage, statement = ("usage", "--output", "json"), ("statement", "--period", "2022Q2", "--output", "json")
    return Outputs(
        before=story.letters(),
        dry=story.ask("dead-letters", "replay", "--account", "acme", "--dry-run"),
        after_dry=story.letters(),
        replayed=story.ask("dead-letters", "replay", "--account", "acme"),
        usage=story.ask(*usage).json,
        statement=story.ask(*statement).json,
        after=story.letters(),
        again=story.ask("dead-letters", "replay", "--account", "acme"),
        usage_again=story.ask(*usage).json,
        statement_again=story.ask(*statement).json,
        after_again=story.letters(),
    )


def ids(listed: Any) -> list[str]:
    return sorted(letter["id"] for letter in listed["letters"])


def test_dead_letters_are_listed_by_code_with_file_and_line(outputs: Outputs) -> None:
    assert outputs.before["by_code"] == REFUSED
    assert outputs.before["count"] == sum(REFUSED.values()) == len(outputs.before["letters"])
    places = sorted((letter["line"], letter["code"]) for letter in outputs.before["letters"])
    assert places == [
        (2, "field_too_long"), (3, "field_too_long"), (3, "unknown_version"), (3, "wrong_type"), (4, "missing_field"),
        (5, "missing_field"), (6, "bad_json"), (7, "frame_too_large"),
    ]  # fmt: skip
    assert all(letter["source"].endswith("beats.ndjson") for letter in outputs.before["letters"])


def test_a_dry_run_predicts_the_replay_and_changes_nothing(outputs: Outputs) -> None:
    assert outputs.dry.status == 0
    assert outputs.dry.out.decode() == (
        f"would send 6 of 8 dead letters (1 alike left out); by this version's rules: {MENDED}\n"
    )
    assert outputs.after_dry == outputs.before


def test_a_replay_meters_valid_members_and_leaves_the_rest_the_dead_letters_they_were(outputs: Outputs) -> None:
    assert outputs.replayed.status == 0, outputs.replayed.err
    assert outputs.replayed.out.decode() == f"replayed 6 of 8 dead letters (1 alike left out): {MENDED}\n"
    assert outputs.after == outputs.before
    assert outputs.statement["basis"]["dead_letters"] == outputs.before["count"] == 8


def test_dead_letters_that_cannot_be_replayed_are_listed_with_the_reason(outputs: Outputs) -> None:
    (large,) = [letter["id"] for letter in outputs.before["letters"] if letter["code"] == "frame_too_large"]
    assert f"seatbeat: {large} cannot be replayed: frame_too_large: " in outputs.replayed.err


def test_usage_after_a_replay_equals_a_run_with_the_fixed_validator(
    story: Story, outputs: Outputs, mended: Future[Ended]
) -> None:
    assert mended.result().status == 0, mended.result().err
    assert {session["machine"] for session in outputs.usage} == {"pc1", "pc2", "workstation-1", "workstation-2"}
    assert outputs.usage == story.ask("usage", "--output", "json", store="mended").json
    assert outputs.statement["lines"] == mended.result().json["lines"]
    assert outputs.statement["basis"]["heartbeats"] == mended.result().json["basis"]["heartbeats"] == 4


def test_replaying_twice_changes_nothing(outputs: Outputs) -> None:
    assert outputs.again.status == 0, outputs.again.err
    assert outputs.again.out.decode() == f"replayed 6 of 8 dead letters (1 alike left out): {MENDED}\n"
    assert outputs.usage_again == outputs.usage
    assert outputs.statement_again == outputs.statement
    assert ids(outputs.after_again) == ids(outputs.after)


def test_a_listing_is_filtered_by_code_and_time_and_reports_its_limit(story: Story, outputs: Outputs) -> None:
    assert story.letters("--code", "missing_field")["by_code"] == {"missing_field": 2}
    assert story.letters("--until", "2022-05-03")["count"] == 0
    cut = story.ask("dead-letters", "list", "--output", "csv", "--limit", "2")
    rows = list(csv.DictReader(io.StringIO(cut.out.decode())))
    assert [row["id"] for row in rows] == [letter["id"] for letter in outputs.after_again["letters"][:2]]
    assert f"{outputs.after_again['count'] - 2} more are not listed" in cut.err


def test_a_table_has_complete_ids_and_counts_by_code(story: Story, outputs: Outputs) -> None:
    table = story.ask("dead-letters", "list").out.decode()
    assert all(id_ in table for id_ in ids(outputs.after_again))
    assert table.splitlines()[-1].startswith("8 dead letters (bad_json 1, field_too_long 2, ")


def test_a_dead_letter_is_shown_by_its_id_without_control_characters(story: Story, outputs: Outputs) -> None:
    (broken, *_) = [letter["id"] for letter in outputs.before["letters"] if letter["code"] == "bad_json"]
    shown = story.ask("dead-letters", "show", broken, "--raw", "hex").out.decode()
    assert b"".join(map(bytes.fromhex, shown.splitlines()[8:])) == LINES[5]
    (version, *_) = [letter["id"] for letter in outputs.before["letters"] if letter["code"] == "unknown_version"]
    member = story.ask("dead-letters", "show", version).out.decode().partition("\nmember\n")[2]
    assert orjson.loads(member) == heartbeat("workstation-3", v=9)


def test_an_unknown_id_ends_with_status_2_and_an_unreplayable_one_with_1(story: Story, outputs: Outputs) -> None:
    nobody = story.ask("dead-letters", "replay", "main/heartbeats/0/0/0")
    assert (nobody.status, nobody.out) == (2, b"")
    assert "main/heartbeats/0/0/0: is no dead letter of this store" in nobody.err
    (large,) = [letter["id"] for letter in outputs.before["letters"] if letter["code"] == "frame_too_large"]
    assert story.ask("dead-letters", "replay", large).status == 1


def test_a_replay_without_matches_does_nothing(story: Story, outputs: Outputs) -> None:
    done = story.ask("dead-letters", "replay", "--account", "nobody")
    assert (done.status, done.out) == (0, b"nothing to replay of 0 dead letters\n")
