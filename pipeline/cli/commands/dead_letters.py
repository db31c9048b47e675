"""``seatbeat dead-letters``: what could not be used, what exactly it holds, and once more through the pipeline."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from typing import Final

import orjson
from rich.table import Table
from rich.text import Text

from pipeline.cli.commands.dead_letters_replay import add_replay
from pipeline.cli.letter_options import (
    add_filter_options,
    add_store_option,
    by_code_text,
    found_letter,
    letter_filter,
    letter_id,
    letters_counted,
    opened_store,
)
from pipeline.cli.tables.output import console, report
from pipeline.codec.csv_text import csv_cell
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
from pipeline.store.letters import count_letters, list_letters

LISTED: Final = 1_000


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its three actions."""
    parser = subparsers.add_parser("dead-letters", help="evidence that could not be used: list, show, replay")
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
    with opened_store(args) as client:
        by_code, letters = count_letters(client, wanted), list_letters(client, wanted, args.limit)
    count = sum(by_code.values())
    if args.output == "json":
        records = [letter_record(one) for one in letters]
        answer = {"count": count, "by_code": by_code, "letters": records}
        print(printable_lines(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode("utf-8")))
    elif args.output == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\r\n")
        writer.writerow(LetterRecord.__annotations__)
        for one in letters:
            values = letter_record(one).values()
            writer.writerow([csv_cell(printable(value) if isinstance(value, str) else value) for value in values])
    else:
        _print_table(letters)
        print(f"{letters_counted(count)}{by_code_text(by_code)}; times are UTC")
    if len(letters) < count:
        report(f"{count - len(letters):,} more are not listed; choose, or give a larger --limit")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """0 with the dead letter on stdout."""
    with opened_store(args) as client:
        letter = found_letter(client, args.id)
    if args.output == "json":
        print(letter_json(letter))
    else:
        for line in letter_text(letter, args.raw):
            print(line)
    return 0


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 1000000")
    return int(text)


def _print_table(letters: Sequence[ListedLetter]) -> None:
    if not letters:
        return
    table = Table()
    for name in ("Id", "Received", "Code", "Account"):
        table.add_column(name, no_wrap=True)
    for name in ("From", "What is wrong"):
        table.add_column(name, overflow="fold", min_width=20)
    rows = []
    for one in letters:
        record = letter_record(one)
        place = place_in_file(one.source, one.line)
        rows.append((record["id"], record["received_at"], one.code, one.account, place, one.detail))
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    screen = console()
    whole = sum(max(len(cell) for cell in column) + 3 for column in list(zip(*rows, strict=True))[:4]) + 60
    screen.print(table, width=max(screen.width, whole), crop=False, soft_wrap=False)
