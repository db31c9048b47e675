"""``seatbeat simulate`` writes the requested fleet."""

from __future__ import annotations

import argparse
import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from pipeline.cli.commands.simulate import add_parser
from pipeline.fleet.clients import FleetPlan, FleetProduct, demo_plan, fleet
from pipeline.model.errors import InputError

KNOBS = ["--machines", "6", "--products", "MSTN=2,ORD", "--seed", "7", "--period", "2022Q1", "--account", "acme"]
PLAN = FleetPlan(
    machines=6, products=(FleetProduct("MSTN", 2), FleetProduct("ORD")), seed=7, period="2022Q1", account="acme"
)
FAULTS = ["--duplicates", "0.05", "--disorder", "0.2", "--late", "0.05", "--broken", "0.01", "--oversize", "1"]


def simulate(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["simulate", *words])
    status: int = args.run(args)
    return status


def as_file(plan: FleetPlan) -> bytes:
    return b"".join(line + b"\n" for line in fleet(plan))


def test_only_heartbeats_go_to_stdout(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert simulate(*KNOBS) == 0
    written = capfdbinary.readouterr()
    assert written.out == as_file(PLAN)
    assert written.err.startswith(f"{written.out.count(b'opened_at'):,} heartbeats in ".encode())
    assert written.err.count(b"\n") == 1


def test_every_option_reaches_the_plan(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert simulate(*KNOBS, *FAULTS, "--beat", "30m", "--frames", "50", "--country", "SK", "--trials", "0.1") == 0
    plan = FleetPlan(
        account="acme",
        country="SK",
        period="2022Q1",
        products=PLAN.products,
        machines=6,
        seed=7,
        beat_ms=1_800_000,
        frames=50,
        duplicates=0.05,
        disorder=0.2,
        late=0.05,
        broken=0.01,
        oversize=1,
        trials=0.1,
    )
    assert capfdbinary.readouterr().out == as_file(plan)


@pytest.mark.parametrize("name", ["fleet.ndjson", "fleet.ndjson.gz", "fleet.ndjson.zst"])
def test_a_file_is_compressed_by_its_suffix_and_deterministic(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for turn in ("a", "b"):
        (tmp_path / turn).mkdir()
        assert simulate(*KNOBS, "--output", str(tmp_path / turn / name)) == 0
    written = (tmp_path / "a" / name).read_bytes()
    assert written == (tmp_path / "b" / name).read_bytes()
    if name.endswith(".gz"):
        assert written[4:8] == bytes(4), "the gzip header has no time stamp"
        written = gzip.decompress(written)
    elif name.endswith(".zst"):
        written = zstandard.ZstdDecompressor().decompressobj().decompress(written)
    assert written == as_file(PLAN)
    assert capsys.readouterr().out == ""


def test_the_summary_names_what_was_broken_by_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(*KNOBS, *FAULTS, "--output", str(tmp_path / "fleet.ndjson")) == 0
    summary = capsys.readouterr().err
    for kind in ("heartbeats in", "sessions; duplicates ", "; displaced ", "; late ", "; broken ", "truncated "):
        assert kind in summary
    assert "; oversize 1 (frame_of_too_many 1)" in summary
    assert summary.count("\n") == 1


def test_the_sample_fleet_accepts_faults_but_no_other_size(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert simulate("--demo") == 0
    assert capfdbinary.readouterr().out == as_file(demo_plan())
    with pytest.raises(InputError, match="--machines"):
        simulate("--demo", "--machines", "5")


def test_an_option_out_of_range_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="machines"):
        simulate("--machines", "0", "--output", str(tmp_path / "fleet.ndjson"))
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.*fleet\.ndjson.*Name a file"):
        simulate(*KNOBS, "--output", str(tmp_path / "nowhere" / "fleet.ndjson"))


@pytest.mark.parametrize("words", [("--beat", "soon"), ("--products", "MSTN=many"), ("--machines", "few")])
def test_an_unknown_option_value_is_a_usage_error(words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        simulate(*words)
    assert ended.value.code == 2
    assert words[1] in capsys.readouterr().err


def test_a_closed_pipe_ends_the_command_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli.main", "simulate", "--demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "."},
    ) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        assert writer.stdout.readline().startswith(b'{"v":1')
        writer.stdout.close()
        assert writer.stderr.read() == b""
    assert writer.returncode == 0
