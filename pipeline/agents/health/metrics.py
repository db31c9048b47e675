"""Metrics of a worker, for Prometheus: a closed list of names, and no label that holds a user, machine or account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

MetricName = Literal[
    "seatbeat_messages_total",  # role: messages acknowledged
    "seatbeat_heartbeats_total",  # outcome (valid, invalid): heartbeats judged by the meter, replays included
    "seatbeat_dead_letters_total",  # code: heartbeats sent to the dead-letter topic, replays included
    "seatbeat_checkpoint_seconds",  # role: from the first message taken to everything acknowledged
    "seatbeat_lag_messages",  # role, topic, partition: messages not yet committed
    "seatbeat_freshness_seconds",  # role: age of the last message acknowledged while there is lag, else 0
    "seatbeat_store_errors_total",  # kind: writes the store refused, which are tried again
    "seatbeat_complete_until_seconds",  # epoch time: whatever was appended before it is stored
    "seatbeat_tokens_available",  # tokens of this worker's accounts, less what open windows reserve
    "seatbeat_quarantined_accounts",  # accounts whose dead letters go to the quarantine topic now
]
METRIC_NAMES: Final[tuple[str, ...]] = get_args(MetricName)
_CHECKPOINT_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """All metrics of one process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._messages = self._counter("seatbeat_messages_total", "Messages acknowledged.", ("role",))
        self._heartbeats = self._counter("seatbeat_heartbeats_total", "Heartbeats judged by the meter.", ("outcome",))
        self._letters = self._counter("seatbeat_dead_letters_total", "Heartbeats dead-lettered.", ("code",))
        self._store_errors = self._counter("seatbeat_store_errors_total", "Writes refused by the store.", ("kind",))
        self._lag = self._gauge("seatbeat_lag_messages", "Messages not committed.", ("role", "topic", "partition"))
        self._freshness = self._gauge("seatbeat_freshness_seconds", "Age of the last message acknowledged.", ("role",))
        self._quarantined = self._gauge("seatbeat_quarantined_accounts", "Accounts in quarantine.", ())
        self._available = self._gauge("seatbeat_tokens_available", "Tokens that are neither spent nor reserved.", ())
        self._complete = self._gauge("seatbeat_complete_until_seconds", "Everything before is stored.", ())
        self._checkpoints = Histogram(
            "seatbeat_checkpoint_seconds",
            "From the first message taken to everything acknowledged.",
            ("role",),
            registry=self._registry,
            buckets=_CHECKPOINT_BUCKETS_S,
        )

    def checkpointed(self, role: str, messages: int, took_s: float) -> None:
        """A checkpoint acknowledged some messages."""
        self._messages.labels(role).inc(messages)
        self._checkpoints.labels(role).observe(took_s)

    def judged(self, valid: int, invalid_by_code: Mapping[str, int]) -> None:
        """The meter judged heartbeats."""
        self._heartbeats.labels("valid").inc(valid)
        for code, count in invalid_by_code.items():
            self._heartbeats.labels("invalid").inc(count)
            self._letters.labels(code).inc(count)

    def lag(self, role: str, topic: str, partition: int, messages: int) -> None:
        """Messages of a partition that are not committed."""
        self._lag.labels(role, topic, str(partition)).set(messages)

    def freshness(self, role: str, age_s: float) -> None:
        """The age of the last message acknowledged; 0 without lag."""
        self._freshness.labels(role).set(age_s)

    def store_error(self, kind: str) -> None:
        """The store refused a call, which is tried again."""
        self._store_errors.labels(kind).inc()

    def complete_until(self, at: int) -> None:
        """The completeness mark, epoch ms."""
        self._complete.set(at / 1000)

    def tokens_available(self, tokens: int) -> None:
        """The tokens of this worker's accounts that are neither spent nor reserved."""
        self._available.set(tokens)

    def quarantined(self, accounts: int) -> None:
        """How many accounts are in quarantine now."""
        self._quarantined.set(accounts)

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: MetricName, text: str, labels: tuple[str, ...]) -> Counter:
        return Counter(name.removesuffix("_total"), text, labels, registry=self._registry)

    def _gauge(self, name: MetricName, text: str, labels: tuple[str, ...]) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry)
