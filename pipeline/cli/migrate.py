"""``seatbeat migrate``: topics on the broker, tables and views in the store; doing so again changes nothing."""

from __future__ import annotations

import argparse
import asyncio
import os
from typing import cast

from pipeline.agents.settings import Settings
from pipeline.agents.topics import Stage, create_topics, topics
from pipeline.cli.output import report
from pipeline.model.errors import InputError
from pipeline.policy.catalogue import metering_catalogue
from pipeline.store.client import StoreUnreachable, connect
from pipeline.store.contracts import store_policies
from pipeline.store.migrations import migrate


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("migrate", help="create topics, tables and views that are not there yet")
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """0 once everything is there."""
    settings = Settings.from_environment(os.environ)
    try:
        client = connect(settings.clickhouse_dsn)
    except StoreUnreachable as error:
        raise InputError("SEATBEAT_CLICKHOUSE_DSN", str(error), "Check the address and that the store runs") from error
    try:
        for name in migrate(client):
            report(f"applied {name}")
        store_policies(client, metering_catalogue())
    finally:
        client.close()
    wanted = topics(cast(Stage, settings.topics))
    for name in asyncio.run(create_topics(settings.kafka_bootstrap, wanted)):
        report(f"created topic {name}")
    report("topics, tables and views are there")
    return 0
