"""Settings of a process: read once from ``SEATBEAT_*`` variables, validated, and passed to every part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from pipeline.model.addresses import DSN_VARIABLE, broker_addresses, listening_address, store_address
from pipeline.model.errors import InputError

PREFIX: Final = "SEATBEAT_"
BOOTSTRAP_VARIABLE: Final = "SEATBEAT_KAFKA_BOOTSTRAP"
HEALTH_VARIABLE: Final = "SEATBEAT_HEALTH_ADDRESS"
STAGES: Final = ("production", "single", "embedded")
MAY_BE_EMPTY: Final = frozenset({"instance_id", "health_address", "embedded_broker"})
GONE: Final[Mapping[str, str]] = {
    "SEATBEAT_CONTRACTS": "Remove it, and apply each contract with `seatbeat contract apply`: live counts read them "
    "from the topic `contracts`",
}
"""Settings of earlier versions, each with what replaced it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses of broker and store, and the pace of checkpoints. Durations end in ``_s`` or ``_ms``."""

    kafka_bootstrap: str = "127.0.0.1:9092"
    clickhouse_dsn: str = "clickhouse://127.0.0.1:8123/default"
    app_id: str = "seatbeat"
    instance_id: str = ""
    log_id: str = "main"
    meter_checkpoint_messages: int = 4_096
    meter_checkpoint_ms: int = 500
    sink_checkpoint_messages: int = 2_000
    sink_checkpoint_ms: int = 10_000
    quarantine_letters: int = 1_000
    seats_rebuild_after_ms: int = 500
    commit_interval_ms: int = 1_000
    session_timeout_s: int = 30
    rebalance_timeout_s: int = 60
    fetch_wait_ms: int = 500
    store_retry_max_s: int = 60
    topics: str = "production"
    embedded_broker: str = ""
    health_address: str = "127.0.0.1:8080"
    stall_s: int = 120
    end_s: int = 25

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read ``SEATBEAT_*``. Raises ``InputError`` for an unknown name or a value that does not fit."""
        by_variable = {f"{PREFIX}{field.name.upper()}": field for field in fields(cls)}
        values: dict[str, str | int] = {}
        for name in sorted(environment):
            if not name.startswith(PREFIX):
                continue
            if name not in by_variable:
                raise InputError(name, "is not a setting", GONE.get(name, "`seatbeat settings` lists them all"))
            field = by_variable[name]
            values[field.name] = _parse(name, environment[name], whole_number=field.type == "int")
        settings = cls(**values)  # type: ignore[arg-type]  # each value was parsed by its field's own type
        settings.validate()
        brokers = broker_addresses(settings.kafka_bootstrap, BOOTSTRAP_VARIABLE)
        return replace(settings, kafka_bootstrap=",".join(broker.text for broker in brokers))

    def validate(self) -> None:
        """Raises ``InputError`` for the first setting that cannot work, with a remedy."""
        for field in fields(self):
            value = getattr(self, field.name)
            if value == "" and field.name not in MAY_BE_EMPTY:
                raise InputError(f"{PREFIX}{field.name.upper()}", "is empty", "Give it a value, or leave it out")
            if isinstance(value, int) and value < 1:
                raise InputError(f"{PREFIX}{field.name.upper()}", f"is {value}", "Give a whole number from 1 on")
        if self.topics not in STAGES:
            raise InputError(f"{PREFIX}TOPICS", f"is {self.topics!r}", f"Give one of {', '.join(STAGES)}")
        broker_addresses(self.kafka_bootstrap, BOOTSTRAP_VARIABLE)
        store_address(self.clickhouse_dsn, DSN_VARIABLE)
        if self.health_address:
            listening_address(self.health_address, HEALTH_VARIABLE)


def _parse(name: str, text: str, *, whole_number: bool) -> str | int:
    if not whole_number:
        return text
    try:
        return int(text)
    except ValueError:
        raise InputError(name, f"is {text!r}", "Give a whole number from 1 on") from None


DESCRIPTIONS: Final[Mapping[str, str]] = {
    "kafka_bootstrap": "Kafka's bootstrap addresses, host:port joined by commas.",
    "clickhouse_dsn": "The store: clickhouse://user:secret@host:port/database or chdb:///folder.",
    "app_id": "The first part of every consumer group: seatbeat-meter, seatbeat-sink, seatbeat-tokens.",
    "instance_id": "A name of this process that stays the same over restarts, for static membership; empty: none.",
    "log_id": "The log that offsets of heartbeats belong to. Give it a new name whenever that topic is created again.",
    "meter_checkpoint_messages": "The meter makes a checkpoint after this many messages of heartbeats.",
    "meter_checkpoint_ms": "The meter makes a checkpoint after this long at the latest.",
    "sink_checkpoint_messages": "The sink writes to the store after this many messages.",
    "sink_checkpoint_ms": "The sink writes to the store after this long at the latest.",
    "quarantine_letters": "An account with more dead letters than this in a minute has them put into quarantine.",
    "seats_rebuild_after_ms": "Live counts are rebuilt so long after an assignment: the roles that bill start first.",
    "commit_interval_ms": "How often acknowledged offsets are committed to the broker.",
    "session_timeout_s": "After this long without a heartbeat the broker gives a process's partitions to others.",
    "rebalance_timeout_s": "How long the members of a group may take to join it anew.",
    "fetch_wait_ms": "How long the broker may delay a fetch when there is no data.",
    "store_retry_max_s": "The longest pause between two tries to reach the store.",
    "embedded_broker": "A program that serves Kafka in place of the embedded broker; empty: the built-in broker.",
    "health_address": "Where a worker answers /healthz, /readyz and /metrics; empty: nowhere.",
    "stall_s": "A worker ends when a partition with lag has not moved for this long, although broker and store answer.",
    "end_s": "A process that must end, by a signal or after a failure, is gone after this long, whatever hangs in it.",
    "topics": "Which column of schemas/topics applies: production (several brokers), single (one broker) or embedded.",
}
"""What each setting means, for people."""
