"""``seatbeat dispute`` and ``explain --line``: the files they write, and the requests they refuse."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli.commands import dispute, explain
from pipeline.cli.packet_options import write_packet
from pipeline.codec.packets.packet_files import NAMES
from pipeline.model.errors import InputError
from tests.support.evidence.packet_shorthand import example

ASKED = ("--period", "2022Q2", "--product", "MSTN")


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    dispute.add_parser(subparsers)
    explain.add_parser(subparsers)
    return parser.parse_args(arguments)


def run(*arguments: str) -> int:
    args = parse(*arguments)
    declared: Callable[[argparse.Namespace], int] = args.run
    return declared(args)


def write(args: argparse.Namespace) -> None:
    write_packet(example(), args, args.output)


def test_a_folder_gets_every_file_under_the_names_that_the_ticket_gives(tmp_path: Path) -> None:
    write(parse("dispute", *ASKED, "--out", f"{tmp_path}/new/folder/"))
    assert {path.name for path in (tmp_path / "new" / "folder").iterdir()} == set(NAMES.values())


@pytest.mark.parametrize(
    ("name", "options", "begins"),
    [
        ("a.html", (), "<!DOCTYPE html>"),
        ("a.json", (), "{"),
        ("a.csv", (), "user,machine"),
        ("a.txt", (), "Category: Invoice"),
        ("a.html", ("--output", "text", "--language", "cs"), "Kategorie: Invoice"),
    ],
)
def test_the_suffix_of_a_file_selects_its_format(
    name: str, options: tuple[str, ...], begins: str, tmp_path: Path
) -> None:
    write(parse("dispute", *ASKED, "--out", str(tmp_path / name), *options))
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(begins)


def test_an_unwritable_path_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write(parse("dispute", *ASKED, "--out", str(tmp_path / "file" / "a.html")))


def test_without_an_action_the_line_must_be_named() -> None:
    with pytest.raises(InputError, match="Give --period and --product for a packet, or one of the actions"):
        run("dispute", "--period", "2022Q2")


def test_options_before_an_action_are_kept_and_those_after_it_win() -> None:
    before = parse("dispute", "--data-dir", "a", "--account", "x", "open", *ASKED, "--account", "y")
    assert (str(before.data_dir), before.account, before.out, before.language) == ("a", "y", None, "en")


@pytest.mark.parametrize("number", ["a\nb", "\x1b[2J", "9" * 201])
def test_an_invoice_number_of_several_lines_is_refused(number: str) -> None:
    with pytest.raises(InputError, match="--invoice"):
        run("dispute", *ASKED, "--invoice", number)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--period", "2022Q2"),
        ("--line", "MSTN"),
        ("--product", "MSTN"),
        ("--slot", "2022-05-03"),
        ("--period", "2022Q2", "--line", "MSTN", "--product", "MSTN"),
    ],
)
def test_explain_needs_either_a_line_or_a_slot(arguments: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="Give --period and --line, or --product and --slot"):
        run("explain", *arguments)
