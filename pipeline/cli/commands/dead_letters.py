"""``seatbeat dead-letters``: what could not be used, what exactly it holds, and once more through the pipeline."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

from pipeline.application.dead_letter_choice import letter_at, letter_list
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.commands.dead_letters_replay import add_replay
from pipeline.cli.letter_options import (
    add_filter_options,
    add_store_option,
    by_code_text,
    letter_filter,
    letter_id,
    letters_counted,
)
from pipeline.cli.option_parser import whole_number
from pipeline.cli.program_messages import report
from pipeline.cli.store_options import opened
from pipeline.cli.tables.cells import literal
from pipeline.cli.tables.console import console
from pipeline.cli.tables.fitted_table import FittedTable
from pipeline.cli.tables.printing import print_bytes, print_csv
from pipeline.codec.json_text import indented_json
from pipeline.codec.reports.letter_records import (
    LetterRecord,
    ListedLetter,
    letter_json,
    letter_record,
    letter_text,
    place_in_file,
    printable,
    printable_lines,
)

LISTED: Final = 1_000


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its three actions."""
    parser = subparsers.add_parser("dead-letters", help=COMMANDS["dead-letters"])
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    listing = actions.add_parser("list", help="which there are, and how many of each code")
    add_filter_options(listing)
    listing.add_argument("--limit", type=_count, default=LISTED, help=f"how many to list at most ({LISTED:,})")
    listing.add_argument("--output", choices=("table", "json", "csv"), default="table")
    listing.set_defaults(run=run_list)

    showing = actions.add_parser("show", help="one of them with all it holds")
    add_store_option(showing)
    showing.add_argument(
        "id", type=letter_id, metavar="ID", help="log/topic/partition/offset/index, as `list` prints it"
    )
    showing.add_argument("--raw", choices=("hex", "base64"), default="hex", help="how bytes that are no JSON are shown")
    showing.add_argument("--output", choices=("text", "json"), default="text")
    showing.set_defaults(run=run_show)

    add_replay(actions)


def run_list(args: argparse.Namespace) -> int:
    """0 with the dead letters on stdout."""
    wanted = letter_filter(args)
    with opened(args) as client:
        chosen = letter_list(client, wanted, args.limit)
    letters, count = chosen.letters, chosen.count
    if args.output == "json":
        records = [letter_record(letter) for letter in letters]
        answer = {"count": count, "by_code": chosen.by_code, "letters": records}
        print_bytes(printable_lines(indented_json(answer).decode("utf-8")).encode())
    elif args.output == "csv":
        rows = (letter_record(letter).values() for letter in letters)
        print_csv(LetterRecord.__annotations__, (map(_printable_cell, row) for row in rows))
    else:
        _print_table(letters)
        print(f"{letters_counted(count)}{by_code_text(chosen.by_code)}; times are UTC")
    if len(letters) < count:
        report(f"{count - len(letters):,} more are not listed; choose, or give a larger --limit")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """0 with the dead letter on stdout."""
    with opened(args) as client:
        letter = letter_at(client, args.id)
    if args.output == "json":
        print_bytes(letter_json(letter).encode() + b"\n")
    else:
        for line in letter_text(letter, args.raw):
            print(line)
    return 0


def _count(text: str) -> int:
    count = whole_number(text)
    if not 1 <= count <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1,000,000")
    return count


def _printable_cell(value: object) -> object:
    return printable(value) if isinstance(value, str) else value


def _print_table(letters: Sequence[ListedLetter]) -> None:
    if not letters:
        return
    table = FittedTable()
    table.add_whole("Id", "Received", "Code", "Account")
    table.add_texts("From", "What is wrong")
    for letter in letters:
        record, place = letter_record(letter), place_in_file(letter.source, letter.line)
        cells = (record["id"], record["received_at"], letter.code, letter.account, place, letter.detail)
        table.add_row(*map(literal, cells))
    console().print(table)
