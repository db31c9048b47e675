"""The world of a scenario: empty topics, an empty database, worker processes, sent messages, and the comparison.

Every world has a unique name for the app and the log, so that scenarios do not affect each other.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, Literal

from aiokafka.errors import KafkaError

from pipeline.kafka.topics import (
    COMMANDS,
    CONTRACTS,
    DENIALS,
    HEARTBEATS,
    HEARTBEATS_DLQ,
    HEARTBEATS_QUARANTINE,
    USAGE,
    Topic,
    topics,
)
from pipeline.policy.catalogue import metering_catalogue
from pipeline.store.client import Client, connect
from pipeline.store.contract_versions import store_policies
from pipeline.store.migrations import migrate
from tests.chaos.audit import difference
from tests.chaos.inputs import Evidence, Sent
from tests.chaos.kafka_client import KafkaClient
from tests.chaos.keeping import Keeper, Nursery, as_command, as_fork
from tests.chaos.oracle import truth_of
from tests.chaos.steps import Order, Role
from tests.support.clickhouse.server import ClickhouseSeam

READS: Final[Mapping[Role, tuple[str, ...]]] = {
    "meter": (HEARTBEATS,),
    "sink": (USAGE, HEARTBEATS_DLQ, DENIALS, COMMANDS, CONTRACTS),
    "seats": (USAGE,),
    "quarantine": (HEARTBEATS_QUARANTINE,),
    "tokens": (USAGE, COMMANDS),
}
DRAINED_S_MAX: Final = 180.0


@dataclass(frozen=True, slots=True)
class Form:
    """The size of a run. ``kills`` is the number of kills at each step."""

    name: Literal["short", "long"]
    brokers: Literal[1, 3]
    kills: int
    rounds: int
    tables: int
    faults: int
    turns_away: int
    messages_a_turn: int
    seed: int

    @property
    def stage(self) -> Literal["production", "single"]:
        return "production" if self.brokers > 1 else "single"


class World:
    """Every method blocks until its effect holds. ``with`` leaves no worker behind.

    ``name`` is unique; random choices depend only on the seed and on ``story``.
    """

    def __init__(
        self,
        name: str,
        story: str,
        form: Form,
        kafka: KafkaClient,
        seam: ClickhouseSeam,
        nursery: Nursery,
        folder: Path,
    ) -> None:
        self.name, self.form, self.kafka, self.seam, self._nursery, self._folder = (
            name, form, kafka, seam, nursery, folder,
        )  # fmt: skip
        self.chance = Random(f"{form.seed} {story}")  # noqa: S311 -- a repeatable story
        self.evidence = Evidence(self.chance.randrange(2**32))
        self.topics: tuple[Topic, ...] = topics(form.stage)
        self.dsn = f"{seam.dsn.rsplit('/', 1)[0]}/{name}"
        self._accepted: list[Sent] = []
        self._keepers: list[Keeper] = []
        self._drawing = threading.Lock()

    def __enter__(self) -> World:
        self.seam.clear()
        self.kafka.renew(self.topics)
        with closing(connect(self.seam.dsn)) as client:
            client.command(f"CREATE DATABASE {self.name}")
        with closing(self.store()) as client:
            migrate(client)
            store_policies(client, metering_catalogue())
        return self

    def __exit__(self, *_: object) -> None:
        for keeper in self._keepers:
            keeper.end()

    def store(self) -> Client:
        """A client of the scenario's database; the caller closes it."""
        return connect(self.dsn)

    def environment(self, **settings: object) -> dict[str, str]:
        """The environment of a worker's process: short intervals, and the given settings."""
        given = {
            "kafka_bootstrap": self.kafka.bootstrap,
            "clickhouse_dsn": self.dsn,
            "app_id": self.name,
            "log_id": f"log-{self.name}",
            "meter_checkpoint_messages": 16,
            "meter_checkpoint_ms": 60,
            "sink_checkpoint_messages": 24,
            "sink_checkpoint_ms": 120,
            "quarantine_letters": 1_000_000,
            "commit_interval_ms": 100,
            "session_timeout_s": 2,
            "rebalance_timeout_s": 5,
            "fetch_wait_ms": 50,
            "store_retry_max_s": 1,
            "topics": self.form.stage,
            "health_address": "",
            "stall_s": 45,
            **settings,
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SEATBEAT_")}
        return kept | {f"SEATBEAT_{name.upper()}": str(value) for name, value in given.items()}

    def keep(
        self,
        role: Role,
        *,
        orders: Iterator[Order] | None = None,
        mutation: str = "",
        as_production: bool = False,
        **settings: object,
    ) -> Keeper:
        """Keep a worker running; ``instance_id`` makes it a static member, which rejoins at once."""
        number = len(self._keepers) + 1
        environment = self.environment(**settings)
        log, hits = self._folder / f"{number}-{role}.log", self._folder / f"{number}-{role}.hits"
        always = [] if not mutation else ["--mutation", mutation]
        start = (
            as_command(role, environment, log)
            if as_production
            else as_fork(self._nursery, role, environment, log)
        )  # fmt: skip
        keeper = Keeper(role, start, hits, log, orders, always)
        self._keepers.append(keeper)
        return keeper

    @contextmanager
    def feeding(self, per_turn: int = 12, turn_s: float = 0.15) -> Iterator[None]:
        """Keep sending evidence while brokers accept it."""
        ended = threading.Event()

        def feed() -> None:
            while not ended.wait(turn_s):
                with suppress(KafkaError, TimeoutError):
                    self.send(per_turn)

        thread = threading.Thread(target=feed, daemon=True, name="feeding")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def send(self, messages: int | Sequence[Sent]) -> None:
        """Send a number of messages of the scenario's evidence, or these messages; all count as accepted."""
        with self._drawing:
            sent = self.evidence.take(messages) if isinstance(messages, int) else messages
        self.kafka.send(sent)
        self._accepted += sent

    def partitions(self, *names: str) -> dict[str, int]:
        """The numbers of partitions of topics."""
        return {topic.name: topic.partitions for topic in self.topics if topic.name in names}

    def lag(self, role: Role) -> int:
        """The number of messages that a role has not committed."""
        return self.kafka.lag(f"{self.name}-{role}", self.partitions(*READS[role]))

    def members(self, role: Role) -> int:
        """The number of workers of a role; 0 during a rebalance."""
        return self.kafka.members(f"{self.name}-{role}")

    def until(self, holds: Callable[[], bool], within_s: float = DRAINED_S_MAX) -> None:
        """Wait for a condition."""
        try:
            self.kafka.until(holds, within_s)
        except TimeoutError as error:
            raise AssertionError(f"the condition did not hold within {within_s:.0f} s\n{self.report()}") from error

    def report(self) -> str:
        """The reports of all workers."""
        return "\n".join(keeper.report() for keeper in self._keepers)

    def until_drained(self, *roles: Role, within_s: float = DRAINED_S_MAX) -> None:
        """Wait until roles, in order of the data's flow, have committed everything."""
        for role in roles or ("meter", "sink"):
            try:
                self.kafka.until_committed(f"{self.name}-{role}", self.partitions(*READS[role]), within_s)
            except TimeoutError as error:
                raise AssertionError(f"{role} has work left after {within_s:.0f} s\n{self.report()}") from error

    def reset(self, *roles: Role) -> None:
        """Reset the offsets of roles without running workers to the start."""
        for role in roles:
            self.kafka.reset(f"{self.name}-{role}", self.partitions(*READS[role]))

    def ended(self) -> bool:
        """Whether any worker has ended."""
        return any(keeper.statuses for keeper in self._keepers)

    def stop(self) -> None:
        """End every worker and check that it ends well."""
        for keeper in self._keepers:
            keeper.end()
        for keeper in self._keepers:
            assert keeper.ended_well, keeper.report()

    def difference(self) -> str:
        """The first difference between the store and the raw log, or ``''``."""
        log = self.kafka.read(self.partitions(HEARTBEATS, HEARTBEATS_QUARANTINE, *READS["sink"]))
        in_log = Counter((message.topic, message.key, message.value) for message in log)
        missing = Counter((message.topic, message.key, message.value) for message in self._accepted) - in_log
        if missing:
            return f"{missing.total()} messages that clients were told are accepted do not stand in the log"
        with closing(self.store()) as client:
            return difference(client, truth_of(log), f"log-{self.name}")

    def check(self) -> None:
        """Check that everything is processed, workers end well, and the store agrees with the raw log."""
        self.check_running()
        self.stop()
        assert self.difference() == ""

    def check_running(self) -> None:
        """Check that everything is processed and the store agrees with the raw log; workers keep running."""
        self.until_drained()
        first_difference = self.difference()
        assert first_difference == "", (
            f"{first_difference}\n--chaos {self.form.name} --chaos-seed {self.form.seed}\n{self.report()}"
        )
