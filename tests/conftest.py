"""Shared by all tests: the Hypothesis profile, and a migrated store for the process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from pipeline.store.client import Client
from tests.support.laws import examples
from tests.support.store.empty_stores import opened_store

pytest_plugins = ["tests.support.broker.brokers"]

settings.register_profile(
    "seatbeat", deadline=None, derandomize="CI" in os.environ, print_blob=True, max_examples=examples(100)
)
settings.load_profile("seatbeat")


def pytest_configure() -> None:
    """Restore SIGINT: a shell's background job ignores it, and child processes would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A migrated embedded store; the engine allows one folder per process, so each test uses its own accounts."""
    with opened_store(tmp_path_factory.mktemp("store")) as client:
        yield client
