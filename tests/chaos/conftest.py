"""``--chaos short|long``: the size of the chaos suite, and the fixtures that its scenarios share.

The option exists if this folder is named on the command line; its default is ``short``. A run of all tests skips the
scenarios.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.kafka_client import KafkaClient, Loop
from tests.chaos.keeping import Nursery
from tests.chaos.steps import ROLES
from tests.chaos.world import Form, World
from tests.support.broker.apache import ApacheKafka, available
from tests.support.clickhouse.server import ClickhouseSeam

SEED: Final = 20_220_503
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of the suite."""
    parser.addoption(
        "--chaos",
        default="short",
        choices=("off", "short", "long"),
        help="short: a single broker, minutes. long: three brokers, many repetitions",
    )
    parser.addoption("--chaos-seed", default=SEED, type=int, help="the seed of every random choice")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers of the suite."""
    config.addinivalue_line("markers", "chaos: plays a scenario on Apache Kafka with worker processes")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # brokers are away on purpose
    config.addinivalue_line("markers", "chaos_long(reason): belongs to the long form alone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip scenarios that are not part of this run, with the reason."""
    chosen = config.getoption("--chaos", default="off")
    availability = available()
    for item in items:
        long_only = item.get_closest_marker("chaos_long")
        if item.get_closest_marker("chaos") is None and long_only is None:
            continue
        if chosen == "off":
            item.add_marker(pytest.mark.skip(reason="chaos scenarios are played by: make test-chaos"))
        elif not availability:
            item.add_marker(pytest.mark.skip(reason=availability.reason))
        elif long_only is not None and chosen != "long":
            item.add_marker(pytest.mark.skip(reason=f"--chaos long: {long_only.kwargs['reason']}"))


@pytest.fixture(scope="session")
def form(pytestconfig: pytest.Config) -> Form:
    """The size of this run."""
    seed = int(pytestconfig.getoption("--chaos-seed"))
    if pytestconfig.getoption("--chaos") == "long":
        return Form(
            "long", brokers=3, kills=5, rounds=6, tables=5, faults=3, turns_away=120, messages_a_turn=600, seed=seed
        )
    return Form("short", brokers=1, kills=2, rounds=2, tables=2, faults=1, turns_away=3, messages_a_turn=800, seed=seed)


@pytest.fixture(scope="session")
def brokers(form: Form, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    """Apache Kafka."""
    with ApacheKafka(tmp_path_factory.mktemp("kafka"), form.brokers) as kafka:
        yield kafka


@pytest.fixture(scope="session")
def seam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickhouseSeam]:
    """The store behind its HTTP interface."""
    with ClickhouseSeam(tmp_path_factory.mktemp("store") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """The process that forks workers."""
    with Nursery() as running:
        yield running


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    """The event loop of the tests' own Kafka clients."""
    with Loop() as running:
        yield running


@dataclass(frozen=True, slots=True)
class Parts:
    """What every world stands on."""

    form: Form
    brokers: ApacheKafka
    seam: ClickhouseSeam
    nursery: Nursery
    loop: Loop

    @contextmanager
    def world(self, test: str, folder: Path) -> Iterator[World]:
        """A world with a unique name."""
        name = f"w{next(_numbers)}_{re.sub(r'[^a-z0-9]+', '_', test.lower())[:40].strip('_')}"
        kafka = KafkaClient(self.loop, self.brokers.bootstrap)
        try:
            with World(name, test, self.form, kafka, self.seam, self.nursery, folder) as made:
                yield made
        finally:
            kafka.close()


@pytest.fixture(scope="session")
def parts(form: Form, brokers: ApacheKafka, seam: ClickhouseSeam, nursery: Nursery, loop: Loop) -> Parts:
    """What every world stands on."""
    return Parts(form, brokers, seam, nursery, loop)


@pytest.fixture
def world(request: pytest.FixtureRequest, parts: Parts, tmp_path: Path) -> Iterator[World]:
    """A world for a single scenario."""
    with parts.world(request.node.name, tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def steady_world(
    request: pytest.FixtureRequest, parts: Parts, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A world with workers for all scenarios of a module that disturb it only from outside; use ``steady``."""
    with parts.world(request.module.__name__.rpartition(".")[2], tmp_path_factory.mktemp("steady")) as made:
        for role in ROLES:
            made.keep(role)
        yield made
        made.check()


@pytest.fixture
def steady(steady_world: World) -> Iterator[World]:
    """The module's world without faults; none of its workers may end."""
    steady_world.seam.clear()
    yield steady_world
    assert not steady_world.ended(), steady_world.report()
