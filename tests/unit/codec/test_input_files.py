"""Input files line by line: plain, gzip and Zstandard, complete and damaged."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.codec import input_files
from pipeline.codec.input_files import compression_of, read_beginning, read_blocks, read_lines
from pipeline.model.errors import InputError
from tests.support.laws import examples

LINES = [b'{"n":%d}' % number for number in range(50_000)]
CONTENT = b"\n".join(LINES) + b"\n"
Pack = Callable[[bytes], bytes]


def zstd(content: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(content)


def zstd_of_unknown_size(content: bytes) -> bytes:
    streaming = zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compressobj()
    return streaming.compress(content) + streaming.flush()


PACKED: list[tuple[str, Pack]] = [
    ("beats.ndjson", bytes),
    ("beats.ndjson.gz", gzip.compress),
    ("BEATS.GZ", gzip.compress),
    ("beats.zst", zstd),
    ("BEATS.ZST", zstd_of_unknown_size),
]


@pytest.fixture(params=PACKED, ids=lambda packed: packed[0])
def packed(request: pytest.FixtureRequest) -> tuple[str, Pack]:
    chosen: tuple[str, Pack] = request.param
    return chosen


def lines_of(folder: Path, name: str, content: bytes) -> list[tuple[int, bytes]]:
    (folder / name).write_bytes(content)
    return list(read_lines(str(folder / name)))


def numbered(*lines: bytes) -> list[tuple[int, bytes]]:
    return list(enumerate(lines, 1))


def test_the_lines_of_a_file_are_numbered_from_one(tmp_path: Path, packed: tuple[str, Pack]) -> None:
    name, pack = packed
    assert lines_of(tmp_path, name, pack(CONTENT)) == numbered(*LINES)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"a", [b"a"]),
        (b"a\nb", [b"a", b"b"]),
        (b"a\r\nb\r\n", [b"a", b"b"]),
        (b"a\n\n\nb\n", [b"a", b"", b"", b"b"]),
        (b"\xef\xbb\xbfa\nb\n", [b"a", b"b"]),
        (b"a\n\xef\xbb\xbfb\n", [b"a", b"\xef\xbb\xbfb"]),
        (b"a\rb\n", [b"a\rb"]),
        (b"\xff\x00\n", [b"\xff\x00"]),
        (b"\n", [b""]),
    ],
)
def test_line_ends_and_a_byte_order_mark_are_removed(
    tmp_path: Path, packed: tuple[str, Pack], content: bytes, lines: list[bytes]
) -> None:
    name, pack = packed
    assert lines_of(tmp_path, name, pack(content)) == numbered(*lines)


@pytest.mark.parametrize(("name", "pack"), [("a.gz", gzip.compress), ("a.zst", zstd), ("a.zst", zstd_of_unknown_size)])
def test_a_file_of_several_members_or_frames_is_read_to_its_end(tmp_path: Path, name: str, pack: Pack) -> None:
    halves = pack(CONTENT[:300_001]) + pack(b"") + pack(CONTENT[300_001:])
    assert lines_of(tmp_path, name, halves) == numbered(*LINES)


@pytest.mark.parametrize("name", ["empty.gz", "EMPTY.ZST"])
def test_a_compressed_file_without_a_byte_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be read: it is empty") as refused:
        lines_of(tmp_path, name, b"")
    assert refused.value.place == str(tmp_path / name)


@pytest.mark.parametrize("size", [0.01, 0.5, 0.999])
@pytest.mark.parametrize(("name", "pack"), [("a.gz", gzip.compress), ("a.zst", zstd), ("a.zst", zstd_of_unknown_size)])
def test_a_truncated_file_is_refused_with_the_last_line_read(
    tmp_path: Path, name: str, pack: Pack, size: float
) -> None:
    path = tmp_path / name
    whole = pack(CONTENT)
    path.write_bytes(whole[: int(len(whole) * size)])
    read: list[tuple[int, bytes]] = []
    with pytest.raises(InputError) as refused:
        read.extend(read_lines(str(path)))
    assert read == numbered(*LINES)[: len(read)]
    assert refused.value.place == (f"{path}:{len(read) + 1}" if read else str(path))
    assert refused.value.reason.startswith("cannot be read: ")
    assert refused.value.remedy == "Check the path, and that the file is whole"


@pytest.mark.parametrize(("name", "pack"), [("a.gz", gzip.compress), ("a.zst", zstd)])
def test_a_file_that_is_truncated_in_its_second_part_is_refused(tmp_path: Path, name: str, pack: Pack) -> None:
    with pytest.raises(InputError):
        lines_of(tmp_path, name, pack(CONTENT) + pack(CONTENT)[:-20])


@pytest.mark.parametrize("name", ["a.gz", "a.zst"])
def test_a_file_whose_suffix_does_not_match_its_content_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"cannot be read: .+"):
        lines_of(tmp_path, name, CONTENT)


@pytest.mark.parametrize(("name", "pack"), [("a.gz", gzip.compress), ("a.zst", zstd_of_unknown_size)])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, pack: Pack) -> None:
    whole = bytearray(pack(CONTENT))
    whole[len(whole) // 2] ^= 0xFF
    with pytest.raises(InputError):
        lines_of(tmp_path, name, bytes(whole))


@pytest.mark.parametrize("name", ["none.ndjson", "none.gz", "none.zst", "no-folder/none.ndjson"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with pytest.raises(InputError) as refused:
        list(read_lines(str(path)))
    assert (refused.value.place, refused.value.reason) == (str(path), "cannot be read: No such file or directory")


@pytest.mark.parametrize("name", ["folder", "folder.gz", "folder.zst"])
def test_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        list(read_lines(str(tmp_path / name)))


def test_only_the_beginning_of_a_line_that_is_too_long_is_kept(
    tmp_path: Path, packed: tuple[str, Pack], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_files, "LINE_BYTES_MAX", 10)
    name, pack = packed
    content = b"0123456789\n0123456789A\n" + b"x" * 35 + b"\r\nshort\n" + b"y" * 25
    assert lines_of(tmp_path, name, pack(content)) == numbered(
        b"0123456789", b"0123456789", b"x" * 10, b"short", b"y" * 10
    )


def in_blocks(path: Path, size: int) -> list[tuple[int, bytes]]:
    """The lines of a file, read in blocks."""
    read = []
    for first, text in read_blocks(str(path), size):
        assert len(text) <= size or b"\n" not in text
        read += [(number, line.rstrip(b"\r")) for number, line in enumerate(text.split(b"\n"), first)]
    return read


@pytest.mark.parametrize("size", [1, 7, 1_000, 300_000, 10_000_000])
def test_blocks_hold_the_lines_of_a_file_with_their_numbers(
    tmp_path: Path, packed: tuple[str, Pack], size: int
) -> None:
    name, pack = packed
    content = CONTENT if size > 7 else CONTENT[:5_000]
    (tmp_path / name).write_bytes(pack(content))
    assert in_blocks(tmp_path / name, size) == list(read_lines(str(tmp_path / name)))


@settings(max_examples=examples(200))
@given(content=st.text("a\n\r\ufeff", max_size=40).map(str.encode), size=st.integers(1, 12), longest=st.integers(3, 8))
def test_blocks_hold_what_lines_hold(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, size: int, longest: int
) -> None:
    path = tmp_path_factory.mktemp("blocks") / "beats"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(input_files, "LINE_BYTES_MAX", longest * size)
        lines = [(number, line) for number, line in read_lines(str(path))]
        read = [(number, line) for number, line in in_blocks(path, size)]
    assert read == lines


@pytest.mark.parametrize(("name", "pack"), [("a.gz", gzip.compress), ("a.zst", zstd)])
@pytest.mark.parametrize("size", [0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused_at_the_line_reached_in_blocks_too(
    tmp_path: Path, name: str, pack: Pack, size: float
) -> None:
    whole = pack(CONTENT)
    (tmp_path / name).write_bytes(whole[: int(len(whole) * size)])
    places = []
    for read in (read_lines(str(tmp_path / name)), read_blocks(str(tmp_path / name), 100_000)):
        with pytest.raises(InputError) as refused:
            list(read)
        places.append((refused.value.place, refused.value.reason))
    assert places[0] == places[1]


def test_the_beginning_of_a_file_is_read_unpacked(tmp_path: Path, packed: tuple[str, Pack]) -> None:
    name, pack = packed
    (tmp_path / name).write_bytes(pack(CONTENT))
    assert read_beginning(str(tmp_path / name), 100) == CONTENT[:100]
    with pytest.raises(InputError, match="No such file"):
        read_beginning(str(tmp_path / f"none-{name}"), 100)


def test_a_dense_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "dense.zst"
    path.write_bytes(zstd((b"x" * 4_095 + b"\n") * 20_000))
    assert sum(len(line) == 4_095 for _, line in read_lines(str(path))) == 20_000


@pytest.mark.parametrize(
    ("path", "compression"),
    [("a", ""), ("a.ndjson", ""), ("gz", ""), (".gz", ""), ("a.gz", ".gz"), ("b/a.x.GZ", ".gz"), ("a.Zst", ".zst")],
)
def test_the_suffix_of_a_name_selects_how_a_file_is_read(path: str, compression: str) -> None:
    assert compression_of(path) == compression
