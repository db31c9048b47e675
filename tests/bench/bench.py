"""The arguments of every scenario: sizes, a folder, results, and the available jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.fleet import Fleet, LargeFleet
from tests.bench.jobs import Job, ours, reference
from tests.bench.results import Results
from tests.bench.worlds import World

FLEET: Final = Fleet()
LARGE_FLEET: Final = LargeFleet()
FEWER_SESSIONS: Final = LargeFleet(accounts=100)
MORE_SESSIONS: Final = LargeFleet(accounts=5_000)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of heartbeats for each job: enough for seconds of work on two cores after its start."""

    repetitions: int = 3
    fleet: Fleet = FLEET
    frames: int = 960_000
    large_fleet: LargeFleet = LARGE_FLEET
    large_frames: int = 1_200_200
    fewer_sessions: LargeFleet = FEWER_SESSIONS
    more_sessions: LargeFleet = MORE_SESSIONS
    stored_heartbeats: int = 170_000
    kept_up_s: int = 60
    bare_singles: int = 400_000
    singles: int = 15_000
    quixstreams: int = 24_000
    stock_map: int = 10_000
    stock_table: int = 3_000
    visible: int = 960_000
    two_workers: int = 1_200_000
    memory: tuple[int, int] = (2_000_000, 20_000_000)
    live_s: int = 12
    statement_machines: int = 5_000
    statement_days: int = 91
    other_account_days: int = 400_000
    open_sessions: int = 1_000_000
    log_events: tuple[int, int] = (200_000, 2_000_000)
    run_machines: int = 600


SMOKE = Sizes(
    repetitions=1, fleet=Fleet(accounts=2, machines=50), frames=6_000, large_fleet=LargeFleet(8, 50, 20),
    large_frames=2_000, fewer_sessions=LargeFleet(2, 50, 20), more_sessions=LargeFleet(16, 50, 20),
    stored_heartbeats=3_400, kept_up_s=2, bare_singles=2_000, singles=1_000,
    quixstreams=500, stock_map=500, stock_table=300, visible=6_000, two_workers=6_000, memory=(2_000, 6_000), live_s=2,
    statement_machines=40, statement_days=91, other_account_days=2_000, open_sessions=2_000, log_events=(2_000, 4_000),
    run_machines=2,
)  # fmt: skip
"""A few thousand heartbeats: they show that everything runs, not how fast."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The environment of a scenario. ``references`` are those that can run on this machine."""

    sizes: Sizes
    folder: Path
    results: Results
    references: frozenset[str]
    reference_job: Callable[..., Job] = reference

    def pipeline(self, where: World, heartbeats: int, **options: object) -> Job:
        """Run our pipeline over the messages of a world, as a consumer group of its own."""
        group = where.new_group("ours")
        return ours("pipeline", where.folder, **where.options, group=group, heartbeats=heartbeats, **options)

    def reference(self, name: str, where: World, heartbeats: int) -> Job:
        """Run a reference over the same messages."""
        group = where.new_group(name)
        return self.reference_job(
            name, where.folder, **where.options, group=group, heartbeats=heartbeats, state=where.folder / group,
            partitions=where.partitions,
        )  # fmt: skip

    def new_store(self, where: World) -> str:
        """The address of a new store."""
        return f"chdb://{where.folder / where.new_group('store')}"


def rate(answer: dict[str, float]) -> float:
    """Heartbeats per second."""
    return answer["heartbeats"] / answer["seconds"]
