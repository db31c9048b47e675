"""Closed, full, blocked and narrow streams: a sentence and a status, never a traceback, nothing in a wrong place."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.support.process.processes import ROOT
from tests.support.process.seatbeat_process import PROGRAM, Ended, seatbeat, surroundings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the devices and descriptors of Linux"),
]

CONTRACT: Final = "account: st\u00fcdi\u014d\ncountry: CZ\ncurrency: EUR\nproducts: {MSTN: {list_price: '6000.00'}}\n"
FLEET: Final = ("simulate", "--machines", "1", "--products", "\u017dLU\u0164\u014d")
PRINTS: Final[dict[str, tuple[str, ...]]] = {
    "lines": ("check", "contract.yaml"),
    "many bytes": ("simulate", "--machines", "8"),
    "help": ("--help",),
    "the help of a command": ("tokens", "buy", "--help"),
    "version": ("--version",),
    "CSV": ("run", "--input", "fleet.ndjson", "--output", "csv"),
}
"""Commands by how they print."""


def shell(line: str, folder: Path, environment: Mapping[str, str] | None = None) -> Ended:
    """Run ``seatbeat`` (``"$@"`` in the line stands for it) in a folder by a shell, with the streams as it says."""
    variables = surroundings(folder / "temporary", {"PYTHONUNBUFFERED": "", **(environment or {})})
    command = ["sh", "-c", line.replace("seatbeat", '"$@"'), "sh", *PROGRAM]
    done = subprocess.run(command, capture_output=True, cwd=folder, env=variables, timeout=60, check=False)
    return Ended(done.returncode, done.stdout, done.stderr.decode())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A contract and the heartbeats of a fleet; names hold letters that few encodings have."""
    path = tmp_path_factory.mktemp("streams")
    (path / "contract.yaml").write_text(CONTRACT, encoding="utf-8")
    assert seatbeat(*FLEET, "--output", path / "fleet.ndjson", temporary=path / "temporary").status == 0
    return path


@pytest.mark.parametrize(
    ("to", "reason", "unbuffered"),
    [(">/dev/full", "cannot be written: No space left on device", ""), (">&-", "is closed", "1")],
)
@pytest.mark.parametrize("prints", PRINTS)
def test_results_that_cannot_be_written_are_a_failure_in_a_sentence(
    prints: str, to: str, reason: str, unbuffered: str, folder: Path
) -> None:
    ended = shell(f"seatbeat {' '.join(PRINTS[prints])} {to}", folder, {"PYTHONUNBUFFERED": unbuffered})
    remedy = "Choose a place that takes the output, and run the command again"
    assert (ended.status, ended.err) == (1, f"seatbeat: standard output: {reason}. {remedy}\n")


@pytest.mark.parametrize("to", ["2>&-", "2>/dev/full"])
def test_messages_that_cannot_be_written_are_dropped_and_never_become_results(to: str, folder: Path) -> None:
    whole = shell("seatbeat simulate --machines 8", folder)
    assert whole.err.endswith("sessions\n")
    assert shell(f"seatbeat simulate --machines 8 {to}", folder) == Ended(0, whole.out, "")
    assert shell(f"seatbeat check nowhere.yaml {to}", folder) == Ended(2, b"", "")
    assert shell(f"seatbeat statement --period 2022Q9 {to}", folder) == Ended(2, b"", "")


def test_a_closed_standard_input_is_refused_where_it_is_to_be_read_and_nowhere_else(folder: Path) -> None:
    ended = shell("seatbeat run --input - --period 2022Q2 <&-", folder)
    assert (ended.status, ended.out) == (2, b"")
    assert ended.err == "seatbeat: -: standard input is closed. Send the input to it, or name a file\n"
    assert shell("seatbeat check contract.yaml <&-", folder).status == 0


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "from pipeline.cli.standard_streams import secure_streams; secure_streams(); "
        "import os, sys; file = open('file', 'w'); "
        "print('lost', file=sys.stderr); os.write(1, b'1'); os.write(2, b'2'); "
        "sys.exit(file.fileno() + os.get_inheritable(1) + os.get_inheritable(2))"
    )
    line = f'{sys.executable} -c "$0" <&- >&- 2>&-'
    done = subprocess.run(["sh", "-c", line, code], cwd=tmp_path, env=surroundings(tmp_path), check=False)
    assert done.returncode == 3 + 1 + 1
    assert (tmp_path / "file").read_bytes() == b""


def test_a_pipe_that_does_not_block_gets_everything(folder: Path) -> None:
    expected = shell("seatbeat simulate --machines 8", folder).out
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, False)
    environment = surroundings(folder / "temporary", {"PYTHONUNBUFFERED": ""})
    with subprocess.Popen(
        [*PROGRAM, "simulate", "--machines", "8"], stdout=writing, stderr=subprocess.PIPE, env=environment, cwd=ROOT
    ) as process:
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            assert pipe.read() == expected
        assert process.stderr is not None
        assert process.stderr.read().count(b"\n") == 1
    assert process.returncode == 0


def test_a_reader_that_goes_ends_the_command_quietly(folder: Path) -> None:
    for prints in ("many bytes", "help"):
        ended = shell(f"{{ seatbeat {' '.join(PRINTS[prints])}; echo $? >&2; }} | true", folder)
        assert ended.err.splitlines()[-1] == "0"
        assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("encoding", "account", "product"), [("ascii", b"st?di?", b"?LU??"), ("iso8859-2", b"st\xfcdi?", b"\xaeLU\xab?")]
)
def test_what_an_encoding_lacks_becomes_a_replacement_character(
    encoding: str, account: bytes, product: bytes, folder: Path
) -> None:
    narrow = {"PYTHONIOENCODING": encoding}
    checked = shell("seatbeat check contract.yaml", folder, narrow)
    assert checked.status == 0
    assert b"account       %s (CZ, EUR)" % account in checked.out
    summed = shell("seatbeat run --input fleet.ndjson", folder, narrow)
    assert summed.status == 0
    assert b"| %s" % product in summed.out


def test_the_posix_locale_without_utf_8_mode_is_a_narrow_encoding_too(folder: Path) -> None:
    posix = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    summed = shell("seatbeat run --input fleet.ndjson", folder, posix)
    assert summed.status == 0
    assert b"| ?LU??" in summed.out


@pytest.mark.parametrize("encoding", ["ascii", "iso8859-2"])
def test_json_and_csv_are_utf_8_whatever_the_encoding_of_the_terminal(encoding: str, folder: Path) -> None:
    narrow = {"PYTHONIOENCODING": encoding}
    document = shell("seatbeat run --input fleet.ndjson --output json", folder, narrow)
    assert [record["feature"] for record in json.loads(document.out.decode())["features"]] == [FLEET[-1]]
    table = shell("seatbeat run --input fleet.ndjson --output csv", folder, narrow)
    rows = [*csv.DictReader(io.StringIO(table.out.decode(), newline=""))]
    assert [row["feature"] for row in rows] == [FLEET[-1]]
    assert table.out.count(b"\r\n") == len(rows) + 1


def test_a_disk_that_is_full_while_standard_input_is_read_is_a_failure_in_a_sentence(tmp_path: Path) -> None:
    words, lines = ("run", "--input", "-", "--period", "2022Q2"), b"{}\n" * 400_000
    ended = seatbeat(*words, temporary=tmp_path / "t", stdin=lines, file_bytes_max=64 * 1024)
    assert (ended.status, ended.out) == (1, b"")
    assert ended.err.startswith(f"seatbeat: {tmp_path / 't'}/seatbeat-")
    assert "cannot hold standard input while it is read: File too large. Make room there, or set TMPDIR" in ended.err
    assert ended.err.count("\n") == 1
    assert [*(tmp_path / "t").iterdir()] == []


def test_an_input_that_breaks_while_it_is_read_is_refused(tmp_path: Path) -> None:
    ended = seatbeat("run", "--input", "/proc/self/mem", "--period", "2022Q2", temporary=tmp_path)
    assert ended.status == 2
    assert ended.err.startswith("seatbeat: /proc/self/mem: cannot be read: Input/output error. ")


@pytest.mark.parametrize("name", ["fleet.ndjson", "fleet.ndjson.gz", "fleet.ndjson.zst"])
def test_a_fleet_that_finds_no_room_leaves_the_file_as_it_was(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"as it was")
    words = ("simulate", "--machines", "60", "--output", path)
    ended = seatbeat(*words, temporary=tmp_path / "t", file_bytes_max=64 * 1024)
    assert (ended.status, ended.err.startswith(f"seatbeat: {path}: cannot be written: File too large. ")) == (1, True)
    assert path.read_bytes() == b"as it was"
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([name, "t"])
    assert "cannot be written" in seatbeat(*words[:-1], "/dev/full", temporary=tmp_path / "t").err
