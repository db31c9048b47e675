"""What the actions of ``seatbeat dead-letters`` share: which store, which dead letters, how many of what."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from pipeline.cli.store_options import check_range, parse_range_end
from pipeline.codec.topics.letter_ids import LetterId, read_id
from pipeline.model.addresses import DSN_VARIABLE
from pipeline.model.errors import DEAD_LETTER_CODES
from pipeline.store.letters import LetterFilter


def add_store_option(parser: argparse.ArgumentParser) -> None:
    """The option by which an action finds its store."""
    parser.add_argument("--data-dir", type=Path, help=f"folder of a run's store (else {DSN_VARIABLE})")


def add_filter_options(parser: argparse.ArgumentParser) -> None:
    """The options that choose dead letters."""
    add_store_option(parser)
    parser.add_argument(
        "--code", choices=DEAD_LETTER_CODES, metavar="CODE", help="what is wrong, such as missing_field"
    )
    parser.add_argument("--account", help="whose; '' for those that name none")
    parser.add_argument(
        "--source", type=_stored_name, help="the file they stood in, as it was named to `run`; '' for those of none"
    )
    parser.add_argument(
        "--from", dest="from_at", type=parse_range_end, metavar="WHEN", help="received then or later, UTC"
    )
    parser.add_argument("--until", dest="until_at", type=parse_range_end, metavar="WHEN", help="received before, UTC")


def _stored_name(text: str) -> str:
    """The name of a file as dead letters have it: bytes that are no text stand there as replacement characters."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def letter_filter(args: argparse.Namespace) -> LetterFilter:
    """What the options choose."""
    check_range(args)
    return LetterFilter(args.code, args.account, args.source, args.from_at, args.until_at)


def letter_id(text: str) -> LetterId:
    """A dead letter's id from the command line."""
    try:
        return read_id(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def letters_counted(count: int) -> str:
    """How many dead letters, in words."""
    return f"{count:,} dead letter{'' if count == 1 else 's'}"


def by_code_text(by_code: Mapping[str, int]) -> str:
    """How many of each code, in brackets; ``''`` for none."""
    return f" ({', '.join(f'{code} {count:,}' for code, count in by_code.items())})" if by_code else ""
