"""A small fleet in every input format, its contract, and commands over them."""

from __future__ import annotations

import gzip
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import zstandard

from pipeline.codec.statement.line_json import LineRecord
from pipeline.fleet.clients import FleetPlan, FleetProduct, fleet
from tests.support.auditors.recompute import lines_of
from tests.support.process.seatbeat_process import Ended, seatbeat

PLAN: Final = FleetPlan(
    products=(FleetProduct("MSTN"), FleetProduct("MSTN-V8I"), FleetProduct("STAAD")),
    machines=24,
    beat_ms=3_600_000,
    trials=0.05,
)
CONTRACT: Final = """\
account: studio
country: CZ
currency: EUR
products:
  MSTN: {name: MicroStation, replaces: [MSTN-V8I], list_price: "6000.00"}
  STAAD: {name: STAAD.Pro, term_license_price: "1150.00"}
  PLAX: {name: PLAXIS 2D}
entitlements:
  - {product: MSTN, model: pooled, policy: bentley-select, quantity: 4, from: 2020-01-01}
  - {product: STAAD, model: pooled, policy: bentley-select, quantity: 2, from: 2020-01-01, until: 2022-06-01}
  - {product: STAAD, model: pooled, policy: bentley-select, quantity: 1, from: 2022-06-01}
  - {product: PLAX, model: pooled, policy: bentley-select, quantity: 5, from: 2020-01-01}
"""
BROKEN: Final = {
    b'{"v": 1, "account": "studio", "product": "MSTN"': "bad_json",
    b'{"v": 1, "account": "studio", "product": "MSTN"}': "missing_field",
    **{b'{"v": 1, "product": "MSTN", "user": "%d"}' % user: "missing_field" for user in range(8)},
    b"\xff\xfe": "bad_encoding",
    b"17": "wrong_type",
}

BROKEN_AT: Final = range(100, 220, 10)
OTHERS: Final = 300


@dataclass(frozen=True, slots=True)
class World:
    """Input files of a fleet in every format, its contract, and the folder of its stores."""

    folder: Path
    contract: Path
    heartbeats: list[bytes]

    @property
    def temporary(self) -> Path:
        return self.folder / "temporary"

    def run(self, *inputs: str | Path, period: str = "2022Q2", **more: Any) -> Ended:
        """``seatbeat run`` over these files, with more ``options``."""
        options = more.pop("options", ("--output", "json"))
        contract = more.pop("contract", self.contract)
        arguments = ("run", "--contract", contract, "--input", *inputs, "--period", period, *options)
        return seatbeat(*arguments, temporary=self.temporary, **more)

    def ask(self, command: str, data_dir: str, *options: str | Path) -> Ended:
        """A command that reads the store of an earlier run."""
        return seatbeat(command, "--data-dir", self.folder / data_dir, *options, temporary=self.temporary)

    def expected(self) -> list[LineRecord]:
        return lines_of(self.contract, self.heartbeats, "2022Q2")


def make_world(folder: Path) -> World:
    """Write the input files and the contract into a folder."""
    contract = folder / "contract.yaml"
    contract.write_text(CONTRACT)
    heartbeats = list(fleet(PLAN))
    (folder / "whole.ndjson").write_bytes(b"\n".join(heartbeats) + b"\n")
    _write_in_parts(folder, heartbeats)
    _write_with_faults(folder, heartbeats)
    return World(folder, contract, heartbeats)


def _write_in_parts(folder: Path, heartbeats: list[bytes]) -> None:
    """A fifth of the fleet in each input format."""
    plain, frames, gz, zst, stdin = (heartbeats[part::5] for part in range(5))
    (folder / "plain.ndjson").write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(plain))
    framed = [b"[" + b",".join(chunk) + b"]" for chunk in _chunks(frames, 400)]
    (folder / "frames.ndjson").write_bytes(b"\n\n".join(framed) + b"\n")
    (folder / "part.ndjson.gz").write_bytes(gzip.compress(b"\n".join(gz) + b"\n"))
    (folder / "part.ndjson.zst").write_bytes(zstandard.compress(b"\n".join(zst) + b"\n"))
    (folder / "stdin").write_bytes(b"\n".join(stdin))


def _write_with_faults(folder: Path, heartbeats: list[bytes]) -> None:
    """Heartbeats of another account with broken lines among them, then the fleet, doubled and shuffled."""
    others = [heartbeat.replace(b'"account":"studio"', b'"account":"other"') for heartbeat in heartbeats[:OTHERS]]
    lines = [*heartbeats, *heartbeats]
    random.Random(7).shuffle(lines)  # noqa: S311 -- a repeatable shuffle
    lines = [*others, *lines]
    for place, line in zip(BROKEN_AT, BROKEN, strict=True):
        lines.insert(place, line)
    (folder / "faults.ndjson").write_bytes(b"\n".join(lines) + b"\n")


def _chunks(lines: list[bytes], size: int) -> Iterator[list[bytes]]:
    rest = iter(lines)
    return iter(lambda: list(itertools.islice(rest, size)), [])
