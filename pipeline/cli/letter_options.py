"""What the actions of ``seatbeat dead-letters`` share: which store, which dead letters, how many of what."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipeline.cli.store_options import DSN_VARIABLE, parse_instant, store_dsn, store_error
from pipeline.codec.topics.dead_letter_messages import DeadLetter
from pipeline.codec.topics.letter_ids import LetterId, read_id, write_id
from pipeline.model.errors import DEAD_LETTER_CODES, InputError
from pipeline.store.client import Client, StoreUnreachable, connect
from pipeline.store.letters import LetterFilter, find_letter
from pipeline.store.migrations import pending_migrations


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
    parser.add_argument("--source", help="the file they stood in, as it was named to `run`; '' for those of none")
    parser.add_argument(
        "--from", dest="from_at", type=parse_instant, metavar="WHEN", help="received then or later, UTC"
    )
    parser.add_argument("--until", dest="until_at", type=parse_instant, metavar="WHEN", help="received before, UTC")


def letter_filter(args: argparse.Namespace) -> LetterFilter:
    """What the options choose."""
    if args.from_at is not None and args.until_at is not None and args.from_at >= args.until_at:
        raise InputError("--until", "is not after --from", "Give a later --until")
    return LetterFilter(args.code, args.account, args.source, args.from_at, args.until_at)


def letter_id(text: str) -> LetterId:
    """A dead letter's id from the command line."""
    try:
        return read_id(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


@contextmanager
def opened_store(args: argparse.Namespace) -> Iterator[Client]:
    """The store, closed again at the end. Raises ``InputError`` for what the user can mend."""
    dsn = store_dsn(args)
    try:
        client = connect(dsn)
    except StoreUnreachable as error:
        raise store_error("the store", error) from error
    try:
        if pending_migrations(client):
            raise InputError(dsn.rpartition("@")[2], "holds no up-to-date store of Seatbeat", "Run `seatbeat migrate`")
        yield client
    finally:
        client.close()


def found_letter(client: Client, place: LetterId) -> DeadLetter:
    """The dead letter of a place. Raises ``InputError`` where none stands there."""
    letter = find_letter(client, place)
    if letter is None:
        raise InputError(
            write_id(place), "is no dead letter of this store", "`seatbeat dead-letters list` names them all"
        )
    return letter


def letters_counted(count: int) -> str:
    """How many dead letters, in words."""
    return f"{count:,} dead letter{'' if count == 1 else 's'}"


def by_code_text(by_code: Mapping[str, int]) -> str:
    """How many of each code, in brackets; ``''`` for none."""
    return f" ({', '.join(f'{code} {count:,}' for code, count in by_code.items())})" if by_code else ""
