"""Apache Kafka without Docker: one broker or three in KRaft mode, on loopback, with their data on disk.

``python -m tests.support.broker.apache fetch`` gets the jars; ``... run --brokers 3`` runs brokers until it is
interrupted.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final, Literal

from aiokafka.errors import KafkaError

from tests.support.broker import apache_jars
from tests.support.broker.apache_jars import Availability, NotFetched, available, fetch
from tests.support.broker.apache_metadata import Partition, listed_brokers, partitions
from tests.support.broker.apache_node import Node, server_properties
from tests.support.process.processes import end, spawn

__all__ = ["ApacheKafka", "Availability", "BrokerDidNotAnswer", "available", "fetch"]

START_S_MAX: Final = 60.0
STOP_S_MAX: Final = 20.0
_POLL_S: Final = 0.05


class BrokerDidNotAnswer(Exception):
    """A broker ended or did not become ready in time; with the end of its log."""


class ApacheKafka:
    """Brokers numbered from 1, each a process of its own under ``folder/node-N``. ``with`` starts and ends them all.

    A broker keeps its ports and its data over ``stop``, ``kill`` and ``start``. Every method blocks until its effect
    holds. ``settings`` are added to every broker's ``server.properties``.
    """

    def __init__(self, folder: Path, brokers: Literal[1, 3] = 1, settings: Mapping[str, str] | None = None) -> None:
        self._nodes = {number: Node(number, folder / f"node-{number}") for number in range(1, brokers + 1)}
        self._settings = dict(settings or {})
        self._java_options: tuple[str, ...] = ()

    def __enter__(self) -> ApacheKafka:
        try:
            self._format()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def bootstrap(self) -> str:
        """The addresses of all brokers, also of those that are down."""
        return ",".join(node.address for node in self._nodes.values())

    @property
    def nodes(self) -> tuple[int, ...]:
        """The numbers of all brokers."""
        return tuple(self._nodes)

    def running(self) -> frozenset[int]:
        """The brokers whose process runs, paused ones too."""
        return frozenset(
            number for number, node in self._nodes.items() if node.process is not None and node.process.poll() is None
        )

    def log(self, number: int) -> str:
        """A broker's log since its first start."""
        return self._nodes[number].log.read_text(encoding="utf-8", errors="replace")

    def start(self, *numbers: int) -> None:
        """Start brokers (all that are down by default) and wait until each lists all running brokers.

        Raises ``BrokerDidNotAnswer``.
        """
        chosen = [self._nodes[number] for number in numbers or sorted(set(self._nodes) - self.running())]
        for node in chosen:
            command = [*apache_jars.java(*self._java_options), "kafka.Kafka", str(node.properties_file)]
            node.process, node.paused = spawn(command, log=node.log), False
        deadline = time.monotonic() + START_S_MAX
        for node in chosen:
            self._until(partial(self._knows_all, node), [node], deadline)

    def stop(self, *numbers: int) -> None:
        """End brokers with SIGTERM: each hands over its leaderships first."""
        self.resume(*numbers)
        self._signal(signal.SIGTERM, numbers)
        for node in self._chosen(numbers):
            if node.process is not None:
                try:
                    node.process.wait(STOP_S_MAX)
                except subprocess.TimeoutExpired:
                    end(node.process)

    def kill(self, *numbers: int) -> None:
        """End brokers at once (SIGKILL)."""
        for node in self._chosen(numbers):
            if node.process is not None:
                end(node.process)

    def pause(self, *numbers: int) -> None:
        """Suspend brokers (SIGSTOP): connections stay open, nothing is answered."""
        self._signal(signal.SIGSTOP, numbers)
        for node in self._chosen(numbers):
            node.paused = True

    def resume(self, *numbers: int) -> None:
        """Continue paused brokers (SIGCONT)."""
        self._signal(signal.SIGCONT, numbers)
        for node in self._chosen(numbers):
            node.paused = False

    def leader(self, topic: str, partition: int = 0) -> int:
        """The number of the broker that leads a partition, -1 while there is no leader."""
        return self._partitions(topic)[partition][0]

    def until_in_sync(self, *topics: str) -> None:
        """Wait until every replica of these topics is in sync."""

        def in_sync() -> bool:
            return all(
                leader in isr and set(isr) == set(replicas)
                for topic in topics
                for leader, replicas, isr in self._partitions(topic)
            )

        self._until(in_sync, self._answering(), time.monotonic() + START_S_MAX)

    def close(self) -> None:
        """End all brokers at once; their data stays."""
        self.kill()

    def _chosen(self, numbers: Iterable[int]) -> list[Node]:
        return [self._nodes[number] for number in tuple(numbers) or tuple(self._nodes)]

    def _signal(self, which: signal.Signals, numbers: Iterable[int]) -> None:
        for node in self._chosen(numbers):
            if node.process is not None and node.process.poll() is None:
                node.process.send_signal(which)

    def _answering(self) -> list[Node]:
        return [node for number, node in self._nodes.items() if number in self.running() and not node.paused]

    def _knows_all(self, node: Node) -> bool:
        """Whether a broker's own metadata lists every broker that answers."""
        return listed_brokers(node.address) >= {up.number for up in self._answering()}

    def _partitions(self, topic: str) -> list[Partition]:
        return partitions(",".join(node.address for node in self._answering()), topic)

    def _until(self, holds: Callable[[], bool], nodes: Iterable[Node], deadline: float) -> None:
        while True:
            try:
                if holds():
                    return
            except (KafkaError, OSError):
                pass
            for node in nodes:
                code = node.process.poll() if node.process is not None else None
                if code is not None or time.monotonic() > deadline:
                    said = "\n".join(self.log(node.number).splitlines()[-20:])
                    raise BrokerDidNotAnswer(f"broker {node.number} is not ready (exit status {code}):\n{said}")
            time.sleep(_POLL_S)

    def _format(self) -> None:
        fresh = [node for node in self._nodes.values() if not (node.folder / "data" / "meta.properties").exists()]
        for node in self._nodes.values():
            node.folder.mkdir(parents=True, exist_ok=True)
            settings = server_properties(node, self._nodes.values()) | self._settings
            node.properties_file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        cluster = secrets.token_urlsafe(16)
        tool = [*apache_jars.java(), "kafka.tools.StorageTool", "format", "-t", f"A{cluster[1:]}"]
        formatting = [(node, spawn([*tool, "-c", node.properties_file], log=node.log)) for node in fresh]
        for node, process in formatting:
            if process.wait(START_S_MAX):
                raise BrokerDidNotAnswer(f"formatting broker {node.number}'s data failed:\n{self.log(node.number)}")


def archive_classes() -> None:
    """Run a broker once and archive the classes that it loads: later brokers start in half the time."""
    folder = Path(tempfile.mkdtemp(prefix="seatbeat-kafka-"))
    try:
        kafka = ApacheKafka(folder)
        kafka._java_options = (f"-XX:ArchiveClassesAtExit={apache_jars.class_archive()}",)
        with kafka:
            kafka.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments: list[str] | None = None) -> int:
    """``fetch`` or ``run``; the exit status is 2 where the jars cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.broker.apache", description=__doc__)
    parser.add_argument("what", choices=("fetch", "run"))
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    parser.add_argument("--data-dir", type=Path, default=apache_jars.CACHE / "data")
    args = parser.parse_args(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        fetch()
        if not apache_jars.class_archive().exists():
            archive_classes()
    except NotFetched as error:
        sys.stderr.write(f"Apache Kafka {apache_jars.version()} was not fetched: {error}\n")
        return 2
    if args.what == "run":
        _run(args.data_dir / f"{args.brokers}-brokers", args.brokers)
    return 0


def _run(folder: Path, brokers: Literal[1, 3]) -> None:
    asked_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_end.set())
    with ApacheKafka(folder, brokers) as kafka:
        sys.stdout.write(f"Apache Kafka {apache_jars.version()} answers on {kafka.bootstrap}; Ctrl-C ends it\n")
        sys.stdout.flush()
        asked_to_end.wait()
        kafka.stop()


if __name__ == "__main__":
    raise SystemExit(main())
