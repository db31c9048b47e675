"""What posting commands share: who posts, into which log, and what is reported where the result is unknown."""

from __future__ import annotations

import argparse
import getpass
import os

from pipeline.application.orders.poster import NotPosted, Poster
from pipeline.cli.option_parser import plain_text
from pipeline.cli.program_messages import quiet_logs, report
from pipeline.cli.store_options import now_ms
from pipeline.model.errors import InputError
from pipeline.store.client import Client


def add_author_option(parser: argparse.ArgumentParser) -> None:
    """The option that names the author of an order."""
    parser.add_argument("--by", default="", help="who orders it (else the user of this computer)")


def author(args: argparse.Namespace) -> str:
    """Who is named as the author. Raises ``InputError`` where nobody is."""
    if args.by:
        return str(args.by)
    try:
        return plain_text(getpass.getuser())
    except (KeyError, OSError, argparse.ArgumentTypeError) as error:
        reason = "is not given, and this computer names no user whose name is text"
        raise InputError("--by", reason, "Say who orders it") from error


def chosen_poster(args: argparse.Namespace, client: Client) -> Poster:
    """Where the options post to: the folder whose store is open, else the broker that the environment names."""
    quiet_logs()
    if args.data_dir is not None:
        from pipeline.embedded.folder_posting import FolderPoster  # noqa: PLC0415 -- only a folder needs the agents

        return FolderPoster(client, now_ms)
    from pipeline.cli.broker_poster import BrokerPoster  # noqa: PLC0415 -- a folder needs no Kafka client

    return BrokerPoster(client, os.environ)


def report_not_posted(error: NotPosted, again: str) -> int:
    """Report that the result of a posting is unknown; the exit status of a run that failed."""
    report(f"{error}; posting it again is harmless: {again}")
    return 1
