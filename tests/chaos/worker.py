"""``seatbeat worker ROLE…`` with a fault at a step, or without a defence.

``python -m tests.chaos.worker [--at STEP:N:kill|stop|raise] [--hits FILE] [--mutation NAME] ROLE…`` reads the
same ``SEATBEAT_*`` variables, and ends with the same status, as the command does.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pipeline.cli.main import main as seatbeat
from tests.chaos.mutations import MUTATIONS
from tests.chaos.seams import stand_around
from tests.chaos.steps import Order, Passing
from tests.chaos.token_mutations import TOKEN_MUTATIONS

_ALL = {**MUTATIONS, **TOKEN_MUTATIONS}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the worker; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.worker", description=__doc__)
    parser.add_argument("--at", type=Order.parse, help="what happens to it, and at which passing of which step")
    parser.add_argument("--hits", type=Path, help="where to note that it happened")
    parser.add_argument("--mutation", choices=sorted(_ALL), help="which defence is removed")
    parser.add_argument("roles", nargs="+")
    args = parser.parse_args(arguments)
    if args.mutation:
        _ALL[args.mutation]()
    stand_around(Passing(args.at, args.hits))
    return seatbeat(["worker", *args.roles])


if __name__ == "__main__":
    raise SystemExit(main())
