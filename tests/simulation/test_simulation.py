"""The promises hold under seeds that crash, pause, duplicate and delay at every step."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

from tests.simulation.__main__ import coverage_table
from tests.simulation.faults import PAIRS
from tests.simulation.world import Outcome, run

SEEDS_MIN: Final = len(PAIRS)
SEEDS_MAX: Final = 4 * SEEDS_MIN
HERE: Final = Path(__file__).parent


@cache
def outcomes() -> tuple[Outcome, ...]:
    """The outcomes of the seeds from 0 on, until every pair of step and fault has been hit; run once for all tests."""
    played: list[Outcome] = []
    missed = set(PAIRS)
    while len(played) < SEEDS_MIN or (missed and len(played) < SEEDS_MAX):
        played.append(run(len(played)))
        missed -= played[-1].hits
    return tuple(played)


def test_every_promise_holds_under_every_seed() -> None:
    red = [outcome for outcome in outcomes() if outcome.violation]
    assert not red, "\n".join(
        f"seed {outcome.seed}: {outcome.violation}\n  replay: python -m tests.simulation --seed {outcome.seed} --trace"
        for outcome in red
    )


def test_every_fault_happens_at_every_possible_step() -> None:
    first = {pair: str(outcome.seed) for outcome in reversed(outcomes()) for pair in outcome.hits}
    print(coverage_table(first))
    missed = [pair for pair in PAIRS if pair not in first]
    assert not missed, f"seeds 0 to {SEEDS_MAX - 1} never hit {missed}"


def test_a_seed_replays_exactly_under_any_hash_seed() -> None:
    seed = 141
    traces = {_replayed(seed, hash_seed) for hash_seed in ("0", "4242")}
    assert len(traces) == 1
    assert traces.pop().splitlines()[:-1] == run(seed, traced=True).trace


def test_tracing_changes_nothing() -> None:
    assert run(11, traced=True).hits == run(11).hits


def test_different_seeds_give_different_runs() -> None:
    assert len({"\n".join(run(seed, traced=True).trace) for seed in range(5)}) == 5


def test_the_table_in_the_readme_matches_the_coverage() -> None:
    assert coverage_table(dict.fromkeys(PAIRS, "✓")) in (HERE / "README.md").read_text(encoding="utf-8")


def _replayed(seed: int, hash_seed: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--seed", str(seed), "--trace"],
        cwd=HERE.parent.parent,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    ).stdout
