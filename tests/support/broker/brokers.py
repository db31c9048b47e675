"""The broker of the test run: ``--broker embedded`` (default), ``--broker apache``, or ``--broker HOST:PORT``.

A pytest plugin; ``tests/conftest.py`` names it in ``pytest_plugins``. ``bootstrap`` is the address of the broker of
the whole run. Tests share it, so the names of their topics and groups begin with ``prefix``.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import secrets
import shutil
import tempfile
from argparse import ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import pytest

from pipeline.embedded.broker import PROGRAM_VARIABLE, EmbeddedBroker
from tests.support.broker.apache import ApacheKafka, available
from tests.support.broker.apache_as_embedded import POOL_VARIABLE
from tests.support.broker.broker_pool import BrokerPool
from tests.support.process.processes import ROOT

BrokerKind = Literal["embedded", "apache", "external"]

_run: Final = secrets.token_hex(3)
_numbers = itertools.count(1)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--broker",
        default="embedded",
        type=_broker,
        metavar="embedded|apache|HOST:PORT",
        help="the Kafka that integration tests use: the embedded broker, Apache Kafka's own, or one that runs already",
    )


def pytest_configure(config: pytest.Config) -> None:
    """With ``--broker apache``, make every process start Apache Kafka instead of the embedded broker."""
    if config.getoption("--broker") == "apache" and available():
        os.environ[PROGRAM_VARIABLE] = str(ROOT / "tests" / "support" / "broker" / "apache-as-embedded")
        folder = tempfile.mkdtemp(prefix="apache-kafka-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        pool = BrokerPool(Path(folder)).__enter__()
        config.add_cleanup(lambda: pool.__exit__(None, None, None))
        os.environ[POOL_VARIABLE] = pool.address


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the integration tests with the reason if Apache Kafka is requested but not available."""
    if config.getoption("--broker") == "apache" and not (availability := available()):
        for item in items:
            if "integration" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason=availability.reason))


@pytest.fixture(scope="session")
def broker_kind(pytestconfig: pytest.Config) -> BrokerKind:
    """The kind of broker behind ``bootstrap``; tests use it to skip what a kind of broker does not support."""
    chosen = str(pytestconfig.getoption("--broker"))
    return "embedded" if chosen == "embedded" else "apache" if chosen == "apache" else "external"


@pytest.fixture(scope="session")
def bootstrap(
    broker_kind: BrokerKind, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The bootstrap address of the run's broker; skips if Apache Kafka is requested but not available."""
    if broker_kind == "external":
        yield str(pytestconfig.getoption("--broker"))
    elif broker_kind == "apache":
        if not (availability := available()):
            pytest.skip(availability.reason)
        with ApacheKafka(tmp_path_factory.mktemp("kafka")) as kafka:
            yield kafka.bootstrap
    else:
        with asyncio.Runner() as runner:
            broker = runner.run(EmbeddedBroker().__aenter__())
            try:
                yield broker.bootstrap
            finally:
                runner.run(broker.__aexit__(None, None, None))


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """Prefix for the names of a test's topics, groups and apps, unique over tests and runs."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:40].strip("-")
    return f"t{_run}-{next(_numbers)}-{name}-"


def _broker(text: str) -> str:
    if text in {"embedded", "apache"} or re.fullmatch(r"[^,:\s]+:\d+(,[^,:\s]+:\d+)*", text):
        return text
    raise ArgumentTypeError(f"{text!r} is neither embedded, apache, nor HOST:PORT")
