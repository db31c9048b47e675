"""``seatbeat dispute`` and ``explain --line``: the files they write, and the requests they refuse."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli.commands import dispute, explain
from pipeline.cli.packet_options import overused_line, write_packet
from pipeline.codec.packets.packet_files import NAMES
from pipeline.model.errors import InputError
from pipeline.model.instants import Period
from pipeline.model.statements import Basis, PooledLine, SeatLine, Statement
from tests.support.evidence.packet_shorthand import example

LINE = PooledLine("MSTN", "CZ", "bentley-select@2016-04-01", 10, 13, (), 3, (), 2, 3, 96_000, 288_000)
WITHIN = PooledLine("STAAD", "CZ", "bentley-select@2016-04-01", 10, 9, (), 0, (), 0, 0, None, None)
BASIS = Basis(None, 0, 0, "sha256:0", "0", "embedded")
SEATS = SeatLine("ACD", "CZ", "single_user", "autodesk-flex@2021-09-24", 1, ("eva",), None)
STATEMENT = Statement("acme", Period.parse("2022Q2"), "EUR", (SEATS, LINE, WITHIN), BASIS)
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


def test_a_line_with_overuse_is_selected() -> None:
    assert overused_line(STATEMENT, "MSTN", "CZ") == LINE


@pytest.mark.parametrize(
    ("product", "country", "reason"),
    [
        ("STAAD", "CZ", "STAAD in CZ: has no over-use in 2022Q2"),
        ("ACD", "CZ", r"ACD in CZ: has no pooled line \(only single user\) in 2022Q2"),
        ("MSTN", "SK", "MSTN in SK: has no line in 2022Q2"),
        ("mstn\x1b[2J", "CZ", r"mstn\\u001b\[2J in CZ: has no line in 2022Q2"),
    ],
)
def test_a_line_without_overuse_is_refused_with_the_lines_that_have_overuse(
    product: str, country: str, reason: str
) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        overused_line(STATEMENT, product, country)
    assert refused.value.remedy == "Lines with over-use: MSTN in CZ (by 3)"


def test_a_quarter_without_overuse_is_refused() -> None:
    with pytest.raises(InputError, match="No line of this quarter has over-use"):
        overused_line(Statement("acme", STATEMENT.period, "EUR", (WITHIN,), BASIS), "MSTN", "CZ")


def test_a_folder_gets_every_file_under_its_name_in_the_ticket(tmp_path: Path) -> None:
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
