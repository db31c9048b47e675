"""``seatbeat migrate``: topics on the broker, tables and views in the store; doing so again changes nothing."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from typing import cast

from aiokafka.errors import KafkaConnectionError

from pipeline.cli.tables.output import report
from pipeline.kafka.settings import Settings
from pipeline.kafka.topic_differences import TopicDifference, differences
from pipeline.kafka.topics import Stage, TopicRefused, create_topics, topics
from pipeline.model.errors import InputError
from pipeline.policy.catalogue import metering_catalogue
from pipeline.store.client import StoreUnreachable, connect
from pipeline.store.contract_versions import store_policies
from pipeline.store.migrations import migrate, skipped_migrations


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("migrate", help="create topics, tables and views that are not there yet")
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """0 once everything is there as it should be; 1 where a topic was refused, or is there and differs."""
    settings = Settings.from_environment(os.environ)
    _migrate_store(settings.clickhouse_dsn)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        found = asyncio.run(_migrate_topics(settings))
    except KafkaConnectionError as error:
        raise InputError(
            "SEATBEAT_KAFKA_BOOTSTRAP", f"{settings.kafka_bootstrap} did not answer", "Check that the broker runs"
        ) from error
    except TopicRefused as error:
        report(f"the broker refused {error.args[0]}")
        return 1
    for one in found:
        report(difference_text(one))
    if any(difference.is_certain for difference in found):
        report("topics that are there are never changed; mend them as said above, or with SEATBEAT_TOPICS")
        return 1
    report("topics, tables and views are there")
    return 0


def difference_text(one: TopicDifference) -> str:
    """A difference in a line, with what mends it."""
    if one.actual is None:
        return f"topic {one.topic}: the broker does not tell {one.what}, which should be {one.wanted}: {one.remedy}"
    return f"topic {one.topic}: {one.what} is {one.actual}, not {one.wanted}: {one.remedy}"


def _migrate_store(dsn: str) -> None:
    try:
        client = connect(dsn)
    except StoreUnreachable as error:
        raise InputError("SEATBEAT_CLICKHOUSE_DSN", str(error), "Check the address and that the store runs") from error
    try:
        for name in migrate(client):
            report(f"applied {name}")
        for skipped in skipped_migrations(client):
            report(f"skipped {skipped.name} ({skipped.reason}); to have it, let the store's user manage access")
        store_policies(client, metering_catalogue())
    finally:
        client.close()


async def _migrate_topics(settings: Settings) -> tuple[TopicDifference, ...]:
    """Create what is not there; then how what was there before differs."""
    wanted = topics(cast(Stage, settings.topics))
    made = await create_topics(settings.kafka_bootstrap, wanted)
    for name in made:
        report(f"created topic {name}")
    return await differences(settings.kafka_bootstrap, [one for one in wanted if one.name not in made])
