"""Faust apps: each agent is an app and a consumer group of its own, built from settings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import faust
from faust.tables.manager import TableManager

from pipeline.agents.consuming import Fail, every_partition
from pipeline.agents.faust.transport import MESSAGE_BYTES, WAITING_BYTES, paced_transport
from pipeline.kafka.settings import Settings

BUFFER_MESSAGES: Final = 2 * WAITING_BYTES // MESSAGE_BYTES
"""More than the transport lets wait: when a buffer is full Faust pauses for a whole second."""

FETCH_BYTES_MAX: Final = 1024 * 1024
"""How much of a partition is fetched ahead of its turn. A larger message is still fetched, alone."""

METADATA_AGE_MS_MAX: Final = 15_000
"""A group that formed while partitions had no leaders gets nothing assigned before the next look at the metadata."""


class _NoTables(TableManager):
    """Faust waits a second at each start for tables that may yet be declared. There are none."""

    async def sleep(self, n: object, *, loop: object = None) -> None:  # noqa: ARG002 -- as Faust has it
        await asyncio.sleep(0)


def build_app(settings: Settings, role: str, fail: Fail, reads: Callable[[int], bool] = every_partition) -> faust.App:
    """An app for one role that decodes, declares, serves and leaves nothing, and starts at the log's beginning.

    ``fail`` hears of a crash in Faust itself, such as a commit that the broker refuses: the app then stands still, and
    nobody else would say so.
    """
    transport = paced_transport(settings.fetch_wait_ms, fail, reads)

    class SeatbeatApp(faust.App):
        def _new_transport(self) -> faust.types.TransportT:
            return transport(self.conf.broker_consumer, self, loop=None)

        def _create_directories(self) -> None:
            """Faust lays out folders for tables where the program was started. There are no tables."""

        async def on_first_start(self) -> None:
            """Faust's monitor counts every message several times over, for nobody: ``metrics.py`` tells.

            Without any sensor Faust warns at each rebalance, so there is one that does nothing.
            """
            await super().on_first_start()
            self.sensors.remove(self.monitor)
            self.sensors.add(faust.Sensor())

        def _crash(self, reason: BaseException) -> None:
            fail(reason)  # first: the rest is not safe in the consumer's thread, and may raise there
            super()._crash(reason)

    return SeatbeatApp(
        f"{settings.app_id}-{role}",
        broker=[f"kafka://{address}" for address in settings.kafka_bootstrap.split(",")],
        autodiscover=False,
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        TableManager=_NoTables,
        stream_wait_empty=False,
        stream_buffer_maxsize=BUFFER_MESSAGES,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=f"{settings.instance_id}-{role}" if settings.instance_id else None,
        consumer_metadata_max_age_ms=METADATA_AGE_MS_MAX,
        consumer_max_fetch_size=FETCH_BYTES_MAX,
        broker_commit_interval=settings.commit_interval_ms / 1000,
        broker_commit_every=1_000_000,
        broker_session_timeout=float(settings.session_timeout_s),
        broker_rebalance_timeout=float(settings.rebalance_timeout_s),
        broker_heartbeat_interval=min(3.0, settings.session_timeout_s / 3),
        broker_request_timeout=float(max(40, settings.session_timeout_s + 10)),
        worker_redirect_stdouts=False,
    )


def raw_topics(app: faust.App, *names: str) -> faust.TopicT:
    """Topics read as one stream, whose keys and values reach the agent as the bytes they are."""
    return app.topic(*names, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
