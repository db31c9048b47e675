"""``python -m tests.simulation``: replay a seed, search many, plant a defect, show which seed covers what."""

from __future__ import annotations

import argparse
import sys

from tests.simulation.defects import DEFECTS
from tests.simulation.faults import PAIRS, STEPS, Fault, Pair
from tests.simulation.world import Parts, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed alone")
    parser.add_argument("--trace", action="store_true", help="print everything that happens, with virtual times")
    parser.add_argument("--seeds", type=int, default=2 * len(PAIRS), help="run the seeds from 0 on, this many")
    parser.add_argument("--defect", choices=sorted(DEFECTS), help="with this defect planted")
    parser.add_argument(
        "--coverage", action="store_true", help="print the first seed that hits each fault at each step"
    )
    chosen = parser.parse_args()
    parts = DEFECTS[chosen.defect] if chosen.defect else Parts()
    seeds = range(chosen.seeds) if chosen.seed is None else (chosen.seed,)
    first: dict[Pair, int] = {}
    red = 0
    for seed in seeds:
        outcome = run(seed, parts, traced=chosen.trace)
        for line in outcome.trace:
            print(line)
        if outcome.violation:
            red += 1
            print(f"seed {seed}: {outcome.violation}")
        for pair in outcome.hits:
            first.setdefault(pair, seed)
    if chosen.coverage:
        print(coverage_table({pair: str(seed) for pair, seed in first.items()}))
    print(f"{len(seeds)} seeds, {red} red, {len(first)} of {len(PAIRS)} pairs of step and fault hit")
    return 1 if red else 0


def coverage_table(cells: dict[Pair, str]) -> str:
    """Steps by faults as Markdown; ``-`` where the fault cannot strike."""
    head = ["step", *Fault]
    rows = [
        [step, *(cells.get((step, fault), "") if fault in STEPS[step] else "-" for fault in Fault)] for step in STEPS
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


if __name__ == "__main__":
    sys.exit(main())
