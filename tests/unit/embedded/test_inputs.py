"""Input files of a run: what is read, and the identity of the log that they form."""

from __future__ import annotations

import gzip
import io
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.embedded import inputs
from pipeline.embedded.inputs import Input, all_blocks, all_lines, gather_inputs, hints_at, log_identity
from pipeline.model.errors import InputError

OPTIONS = ("heartbeats", "acme", "UTC")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def file(folder: Path, name: str, content: bytes) -> str:
    (folder / name).write_bytes(content)
    return str(folder / name)


def identity(scratch: Path, *names: str, options: tuple[str, ...] = OPTIONS) -> str:
    return log_identity(gather_inputs(names, scratch), *options)


def test_the_log_id_does_not_depend_on_file_names(tmp_path: Path, scratch: Path) -> None:
    first = identity(scratch, file(tmp_path, "a.ndjson", b"1\n"), file(tmp_path, "b.ndjson", b"2\n"))
    second = identity(scratch, file(tmp_path, "x.log", b"1\n"), file(tmp_path, "y", b"2\n"))
    assert first == second
    assert first.startswith("files:")
    assert len(first) == len("files:") + 32


def test_the_log_id_depends_on_content_order_number_and_options(tmp_path: Path, scratch: Path) -> None:
    a, b, c = (file(tmp_path, name, name.encode()) for name in "abc")
    identities = [
        identity(scratch),
        identity(scratch, a),
        identity(scratch, b),
        identity(scratch, a, b),
        identity(scratch, b, a),
        identity(scratch, a, b, c),
        identity(scratch, a, options=("flexnet", "acme", "UTC")),
        identity(scratch, a, options=("heartbeats", "studio", "UTC")),
        identity(scratch, a, options=("heartbeats", "acme", "Europe/Prague")),
        identity(scratch, a, options=("heartbeats", "ac", "meUTC")),
        identity(scratch, a, options=("heartbeats", "", "acmeUTC")),
    ]
    assert len(set(identities)) == len(identities)


def test_the_log_id_depends_on_the_format(tmp_path: Path, scratch: Path) -> None:
    packed = gzip.compress(b"{}\n")
    as_text, as_gzip = file(tmp_path, "beats", packed), file(tmp_path, "beats.gz", packed)
    assert identity(scratch, as_text) != identity(scratch, as_gzip)


def test_a_file_named_twice_is_read_once(tmp_path: Path, scratch: Path) -> None:
    a, b = file(tmp_path, "a", b"1\n"), file(tmp_path, "b", b"2\n")
    assert [gathered.name for gathered in gather_inputs([a, b, a, a], scratch)] == [a, b]


def test_lines_have_the_name_of_their_file_and_their_number(tmp_path: Path) -> None:
    kept = Input("beats", file(tmp_path, "kept", b"x\ny\n"))
    assert list(kept.blocks()) == [("beats", 1, b"x\ny")]
    assert list(kept.lines()) == [("beats", 1, b"x"), ("beats", 2, b"y")]


def given_on_standard_input(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))


def test_stdin_is_copied_to_a_file(tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_on_standard_input(b"1\n2\n", monkeypatch)
    gathered = gather_inputs(["-", "-"], scratch)
    assert [list(kept.lines()) for kept in gathered] == [[("-", 1, b"1"), ("-", 2, b"2")]]
    assert list(gathered[0].lines()) == [("-", 1, b"1"), ("-", 2, b"2")]
    assert log_identity(gathered, *OPTIONS) == identity(scratch, file(tmp_path, "a.ndjson", b"1\n2\n"))


@pytest.mark.parametrize(("name", "content"), [("pipe", b"1\n2\n"), ("pipe.gz", gzip.compress(b"1\n2\n", mtime=0))])
def test_a_pipe_is_copied_to_a_file_because_it_can_be_read_only_once(
    tmp_path: Path, scratch: Path, name: str, content: bytes
) -> None:
    pipe = tmp_path / name
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    gathered = gather_inputs([str(pipe)], scratch)
    writer.join()
    assert list(gathered[0].lines()) == [(str(pipe), 1, b"1"), (str(pipe), 2, b"2")]
    kept = file(tmp_path, f"kept{pipe.suffix}", content)
    assert log_identity(gathered, *OPTIONS) == identity(scratch, kept)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("none.ndjson", "No such file or directory"), ("none.gz", "No such file or directory"), ("", "Is a directory")],
)
def test_an_unreadable_file_is_refused_before_the_run(tmp_path: Path, scratch: Path, name: str, reason: str) -> None:
    with pytest.raises(InputError) as refused:
        gather_inputs([file(tmp_path, "a", b""), str(tmp_path / name)], scratch)
    assert (refused.value.place, refused.value.reason) == (str(tmp_path / name), f"cannot be read: {reason}")
    assert refused.value.remedy == "Give the path of a readable file, or -"


def test_a_file_that_is_no_ndjson_is_named_with_what_it_is(tmp_path: Path, scratch: Path) -> None:
    good = file(tmp_path, "good.ndjson.gz", gzip.compress(b'{"v": 1}\n'))
    packed = file(tmp_path, "packed.ndjson", gzip.compress(b'{"v": 1}\n'))
    (hint,) = hints_at(gather_inputs([good, packed], scratch))
    assert hint.startswith(f"{packed} is compressed with gzip")


def test_input_beyond_the_embedded_brokers_memory_is_refused_with_a_remedy(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = file(tmp_path, "a", b"12345"), file(tmp_path, "b", b"678")
    monkeypatch.setattr(inputs, "BYTES_MAX", 8)
    assert len(gather_inputs([a, b], scratch)) == 2
    monkeypatch.setattr(inputs, "BYTES_MAX", 7)
    with pytest.raises(InputError, match="8 bytes are more than the embedded broker holds") as refused:
        gather_inputs([a, b], scratch)
    assert refused.value.place == f"{a}, {b}"
    assert "--data-dir" in refused.value.remedy


def test_compressed_input_is_measured_again_while_it_is_read(
    tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = file(tmp_path, "a.gz", gzip.compress(b"0123456789\n" * 1_000))
    monkeypatch.setattr(inputs, "BYTES_MAX", 500)
    gathered = gather_inputs([packed], scratch)
    with pytest.raises(InputError, match="once unpacked") as refused:
        list(all_lines(gathered))
    assert refused.value.place == f"{packed}:51"
    with pytest.raises(InputError, match="once unpacked") as in_blocks:
        list(all_blocks(gathered))
    assert in_blocks.value.place == f"{packed}:1"  # that of the block
    assert "--data-dir" in refused.value.remedy
