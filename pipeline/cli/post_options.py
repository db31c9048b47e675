"""What posting commands share: a message into the log, by the embedded pipeline or to the workers, and the answer."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
from collections.abc import Callable
from typing import Final, TypeVar

from pipeline.cli.store_options import make_store_folder, now_ms, store_error
from pipeline.cli.tables.output import quiet_logs, report
from pipeline.kafka.posting import NotShown, post
from pipeline.kafka.producer import Outgoing
from pipeline.kafka.settings import Settings
from pipeline.model.errors import InputError
from pipeline.store.client import Client, StoreError, StoreUnreachable, connect

Answer = TypeVar("Answer")
SHOWN_S_MAX: Final = 60.0
"""Six times as long as the sink gathers by default before it writes."""


class NotPosted(Exception):
    """Why nobody can say what became of a message: in words, with what to do."""


def add_author_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", default="", help="who orders it (else the user of this computer)")


def author(args: argparse.Namespace) -> str:
    """Who is named as the author. Raises ``InputError`` where nobody is."""
    if args.by:
        return str(args.by)
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise InputError("--by", "is not given, and this computer names no user", "Say who orders it") from error


def posted(
    args: argparse.Namespace,
    message: Outgoing,
    is_shown: Callable[[Client, int, int], bool],
    question: Callable[[Client], Answer],
) -> Answer:
    """Post a message, wait until the store shows it at its partition and offset, and ask the store.

    Raises ``InputError`` where the store does not open, and ``NotPosted``.
    """
    quiet_logs()
    try:
        if args.data_dir is not None:
            return _embedded(args, message, question)
        return asyncio.run(_to_broker(Settings.from_environment(os.environ), message, is_shown, question))
    except StoreUnreachable as error:
        raise store_error("the store", error) from error


def _embedded(args: argparse.Namespace, message: Outgoing, question: Callable[[Client], Answer]) -> Answer:
    from pipeline.embedded.folder_posting import post_embedded  # noqa: PLC0415 -- only a folder needs the agents

    try:
        return post_embedded(make_store_folder(args.data_dir), message, question, now=now_ms)
    except StoreError as error:
        raise NotPosted(f"the store failed: {error}") from error


async def _to_broker(
    settings: Settings,
    message: Outgoing,
    is_shown: Callable[[Client, int, int], bool],
    question: Callable[[Client], Answer],
) -> Answer:
    from aiokafka.errors import KafkaError  # noqa: PLC0415 -- the embedded pipeline has errors of its own

    client = await asyncio.to_thread(connect, settings.clickhouse_dsn)
    try:

        async def shown(partition: int, offset: int) -> bool:
            return await asyncio.to_thread(is_shown, client, partition, offset)

        await post(settings.kafka_bootstrap, message, shown, SHOWN_S_MAX)
        return await asyncio.to_thread(question, client)
    except KafkaError as error:
        raise NotPosted(f"the broker at {settings.kafka_bootstrap} failed: {error!r}") from error
    except NotShown as error:
        raise NotPosted(
            f"it stands in the log at {error}, but the store has not shown it for {SHOWN_S_MAX:.0f} s; check that a "
            "worker has the role sink"
        ) from error
    finally:
        client.close()


def report_not_posted(error: NotPosted, again: str) -> int:
    """Say that it is not known what became of a message; the exit status of a run that failed."""
    report(f"{error}; posting it again is harmless: {again}")
    return 1
