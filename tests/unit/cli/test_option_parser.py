"""What no codec can hold is refused where it is read, whichever command and option it is given for."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from pipeline.cli.command_list import COMMANDS
from pipeline.cli.command_registry import command_parser
from pipeline.cli.letter_options import _stored_name
from pipeline.cli.option_parser import OptionParser, file_name
from tests.support.process.processes import ROOT
from tests.support.process.seatbeat_process import PROGRAM, surroundings

NO_TEXT: Final = "caf\udce9"
"""What Python makes of ``caf\\xe9`` on a command line in UTF-8."""
FILES: Final = frozenset({Path, file_name, _stored_name})
NUMBERS: Final = {
    ("simulate", "--machines"): "100,000",
    ("simulate", "--seed"): "9,223,372,036,854,775,807",
    ("simulate", "--frames"): "10,000",
    ("simulate", "--oversize"): "1,000",
    ("tokens buy", "--tokens"): "9,007,199,254,740,991",
    ("tokens buy", "--packs"): "9,007,199,254,740,991",
    ("tokens credit", "--tokens"): "9,007,199,254,740,991",
    ("dead-letters list", "--limit"): "1,000,000",
}
"""Every option that takes a whole number, and its limit."""


def parsers(
    parser: argparse.ArgumentParser, named: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Every command and action, with its parser."""
    yield named, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from parsers(inner, (*named, name))


def options() -> Iterator[tuple[str, argparse.Action, str]]:
    """Each option that takes a value, with its command and the name that a refusal gives it."""
    for named, parser in parsers(command_parser(COMMANDS)):
        for action in parser._actions:
            if action.nargs != 0 and not isinstance(action, argparse._SubParsersAction):
                metavar = action.metavar if isinstance(action.metavar, str) else action.dest
                yield " ".join(named), action, "/".join(action.option_strings) or metavar


OPTIONS: Final = [*options()]
VALUES: Final = [
    (f"{command} {name}", (*command.split(), *action.option_strings[-1:], NO_TEXT), name)
    for command, action, name in OPTIONS
    if action.type not in FILES
]


def test_the_options_of_all_commands_are_tried() -> None:
    assert len({command for command, _, _ in OPTIONS}) > 30
    assert {"--user", "--account", "--product", "--id", "--by", "--reason"} <= {name for *_, name in VALUES}


@pytest.mark.parametrize(
    ("words", "name"), [(words, name) for _, words, name in VALUES], ids=[case for case, *_ in VALUES]
)
def test_bytes_that_are_no_text_are_refused_in_a_line_that_names_the_option(
    words: Sequence[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command_parser(COMMANDS).parse_args(words)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"seatbeat: {name}: ")
    assert said.count("\n") == 1
    assert f"`seatbeat {words[0]}" in said


@pytest.mark.parametrize("name", ["caf\udce9", "-", "a b"])
def test_the_name_of_a_file_may_hold_any_bytes(name: str) -> None:
    parsed = command_parser(["run", "statement", "dispute"]).parse_args(["run", "--input", name])
    assert parsed.input == [name]


def test_every_option_of_a_whole_number_is_listed_with_its_limit() -> None:
    numbers = {
        (command, name)
        for command, action, name in OPTIONS
        if action.type is int or getattr(action.type, "__name__", "") == "_count"
    }
    assert numbers == set(NUMBERS)


@pytest.mark.slow
@pytest.mark.parametrize("digits", [23, 5_000])
@pytest.mark.parametrize(("command", "name"), NUMBERS)
def test_a_number_beyond_its_limit_is_refused_in_a_line_that_names_option_and_limit(
    command: str, name: str, digits: int, tmp_path: Path
) -> None:
    needed = {"tokens buy": ["--tokens", "5"], "tokens credit": ["--reason", "x"]}.get(command, [])
    words = [*command.split(), *needed, name, "9" * digits]
    ended = subprocess.run([*PROGRAM, *words], capture_output=True, cwd=ROOT, env=surroundings(tmp_path), check=False)
    said = ended.stderr.decode()
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert said.startswith(f"seatbeat: {name}: ")
    assert said.count("\n") == 1
    assert len(said) < 300
    if digits == 23:
        assert NUMBERS[command, name] in said


def test_what_is_missing_is_told_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_parser(["statement"]).parse_args(["statement"])
    said = capsys.readouterr().err
    assert said.startswith("usage: seatbeat statement ")
    assert said.endswith("the following arguments are required: --period\n")


def test_a_group_of_options_is_judged_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    parser = OptionParser(prog="seatbeat")
    parser.add_argument_group("names").add_argument("--user")
    with pytest.raises(SystemExit):
        parser.parse_args(["--user", NO_TEXT])
    assert "--user: 'caf\\udce9' holds bytes that are no text. Write it in UTF-8" in capsys.readouterr().err


def test_the_user_of_this_computer_is_judged_as_well(tmp_path: Path) -> None:
    words = ("tokens", "credit", "--tokens", "5", "--reason", "x", "--data-dir", str(tmp_path))
    environment = {**surroundings(tmp_path), "LOGNAME": NO_TEXT}
    ended = subprocess.run([*PROGRAM, *words], capture_output=True, cwd=ROOT, env=environment, check=False)
    assert (ended.returncode, ended.stderr.startswith(b"seatbeat: --by: is not given")) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "--product", "MSTN", "--slot"),
        ("tokens", "forecast", "--at"),
        ("tokens", "buy", "--tokens", "5", "--purchased-at"),
        ("assign", "--product", "MSTN", "--user", "jana", "--at"),
        ("checkout", "--product", "MSTN", "--user", "jana", "--machine", "ws-1", "--until"),
        ("void", "--reason", "x", "--from"),
    ],
)
@pytest.mark.parametrize(
    "instant", ["0001-01-01", "1999-12-31T23:59:59", "2101-01-01", "9999-12-31T23:59:59.999-23:00"]
)
def test_an_instant_of_other_years_is_refused(
    words: tuple[str, ...], instant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command_parser(words[:1]).parse_args([*words, instant])
    assert f"seatbeat: {words[-1]}: '{instant}' lies outside the years 2000 to 2100." in capsys.readouterr().err


@pytest.mark.parametrize("command", [("usage",), ("denials",), ("tokens", "ledger"), ("dead-letters", "list")])
def test_a_range_may_begin_and_end_in_any_year(command: tuple[str, ...]) -> None:
    words = [*command, "--from", "0001-01-01", "--until", "9999-12-31"]
    parsed, whole = command_parser(command[:1]).parse_args(words), command_parser(["usage"]).parse_args(["usage"])
    assert (parsed.from_at, parsed.until_at) == (whole.from_at, whole.until_at)
