"""``seatbeat migrate``: topics on the broker, tables and views in the store; doing so again changes nothing."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from contextlib import closing
from typing import cast

from aiokafka.errors import KafkaConnectionError

from pipeline.cli.command_list import COMMANDS
from pipeline.cli.program_messages import report
from pipeline.kafka.reaching import why_unreachable
from pipeline.kafka.settings import BOOTSTRAP_VARIABLE, Settings
from pipeline.kafka.topic_differences import TopicDifference, differences
from pipeline.kafka.topics import Stage, TopicRefused, create_topics, topics
from pipeline.model.addresses import DSN_VARIABLE
from pipeline.model.errors import InputError
from pipeline.store.migrations import skipped_migrations
from pipeline.store.opening import connected, lay_out


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("migrate", help=COMMANDS["migrate"])
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """0 once everything is there as it should be; 1 where a topic was refused, or is there and differs."""
    settings = Settings.from_environment(os.environ)
    _migrate_store(settings.clickhouse_dsn)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        unlike = asyncio.run(_migrate_topics(settings))
    except KafkaConnectionError as error:
        reason = asyncio.run(why_unreachable(settings.kafka_bootstrap)) or f"{settings.kafka_bootstrap} hung up"
        raise InputError(BOOTSTRAP_VARIABLE, reason, "Check the addresses, and that the broker runs") from error
    except TopicRefused as error:
        report(f"the broker refused {error.args[0]}")
        return 1
    for difference in unlike:
        report(difference_text(difference))
    if any(difference.is_certain for difference in unlike):
        report("topics that are there are never changed; mend them as said above, or with SEATBEAT_TOPICS")
        return 1
    report("topics, tables and views are there")
    return 0


def difference_text(difference: TopicDifference) -> str:
    """A difference in a line, with what mends it."""
    what, wanted, remedy = difference.what, difference.wanted, difference.remedy
    if difference.actual is None:
        return f"topic {difference.topic}: the broker does not tell {what}, which should be {wanted}: {remedy}"
    return f"topic {difference.topic}: {what} is {difference.actual}, not {wanted}: {remedy}"


def _migrate_store(dsn: str) -> None:
    with closing(connected(dsn, DSN_VARIABLE)) as client:
        for name in lay_out(client):
            report(f"applied {name}")
        for skipped in skipped_migrations(client):
            report(f"skipped {skipped.name} ({skipped.reason}); to have it, let the store's user manage access")


async def _migrate_topics(settings: Settings) -> tuple[TopicDifference, ...]:
    """Create the topics that are missing, and return how those that were there before differ."""
    wanted = topics(cast(Stage, settings.topics))
    made = await create_topics(settings.kafka_bootstrap, wanted)
    for name in made:
        report(f"created topic {name}")
    return await differences(settings.kafka_bootstrap, [topic for topic in wanted if topic.name not in made])
