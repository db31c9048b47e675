"""Shared by integration tests: a fleet, parallel commands, and the real FlexNet logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from tests.support.evidence.small_world import World, make_world
from tests.support.process.processes import ROOT
from tests.support.process.seatbeat_process import Ended

FLEXNET_LOGS: Final = ROOT.parent / "shared" / "data" / "flexnet"
AT_ONCE: Final = 3
"""A run mostly waits, for the members of its consumer groups to find each other."""

Result = TypeVar("Result")


class SideBySide:
    """Starts slow commands in the background, before the tests that need them."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor

    def start(self, work: Callable[[], Result]) -> Future[Result]:
        return self._executor.submit(work)


@pytest.fixture
def _embedded_broker(broker_kind: str) -> None:
    """Skips a test about the embedded broker's process or memory if the run uses another broker."""
    if broker_kind != "embedded":
        pytest.skip("this is about the embedded broker's own process")


@pytest.fixture(scope="session")
def side_by_side() -> Iterator[SideBySide]:
    """Runs a few commands in parallel."""
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="side-by-side") as executor:
        yield SideBySide(executor)
        executor.shutdown(wait=False, cancel_futures=True)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A fleet of some thousand heartbeats in files of every format."""
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def run_twice(world: World) -> tuple[Ended, Ended]:
    """Two runs of the whole fleet into the folder ``kept``."""
    options = ("--output", "json", "--data-dir", world.folder / "kept")
    first = world.run(world.folder / "whole.ndjson", options=options)
    return first, world.run(world.folder / "whole.ndjson", options=options)


@pytest.fixture(scope="session")
def kept(run_twice: tuple[Ended, Ended]) -> dict[str, Any]:
    """The statement of the whole fleet; its store is in the folder ``kept``."""
    first, _ = run_twice
    assert first.status == 0, first.err
    statement: dict[str, Any] = first.json
    return statement


@pytest.fixture(scope="session")
def flexnet_logs() -> Path:
    """The folder of the real logs; skips if it does not exist."""
    if not FLEXNET_LOGS.is_dir():
        pytest.skip(f"the real FlexNet logs are not in {FLEXNET_LOGS.relative_to(ROOT.parent)} beside the project")
    return FLEXNET_LOGS
