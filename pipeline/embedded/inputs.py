"""Input files of a run: where they come from, and the identity of the log they make.

Importing a file again is not another delivery: a run's log is named after what it is made from, so the same files
give the same places in the same log, and nothing is counted anew.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pipeline.codec.files import STANDARD_INPUT, read_lines
from pipeline.embedded.importer import FRAME_HEARTBEATS, Line
from pipeline.model.errors import InputError

Format = Literal["heartbeats", "flexnet"]
BYTES_MAX: Final = 8 * 1024**3
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read and the name it is told under."""

    name: str
    path: str

    def lines(self) -> Iterator[Line]:
        """Its lines. Raises ``InputError`` where it breaks off."""
        for number, content in read_lines(self.path):
            yield self.name, number, content


def gather_inputs(names: Sequence[str], scratch: Path) -> tuple[Input, ...]:
    """The files named; standard input is kept in ``scratch``, so that it can be named after its content.

    Raises ``InputError`` for what is no readable file, and for more than the embedded broker can hold.
    """
    inputs = tuple(_input(name, scratch) for name in dict.fromkeys(names))
    size = sum(Path(one.path).stat().st_size for one in inputs)
    if size > BYTES_MAX:
        raise InputError(
            ", ".join(one.name for one in inputs),
            f"{size:,} bytes are more than the embedded broker holds in memory ({BYTES_MAX:,})",
            "Run it in parts into one --data-dir, or use Apache Kafka (docker-compose.yml)",
        )
    return inputs


def log_identity(inputs: Sequence[Input], *options: str) -> str:
    """A name for the log that these files make when they are read with these options."""
    digest = hashlib.sha256()
    for part in (str(FRAME_HEARTBEATS), *options):
        digest.update(len(part).to_bytes(8, "big") + part.encode("utf-8"))
    for one in inputs:
        with Path(one.path).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"files:{digest.hexdigest()[:32]}"


def _input(name: str, scratch: Path) -> Input:
    if name == STANDARD_INPUT:
        kept = scratch / "standard-input"
        with kept.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file, _CHUNK)
        return Input("-", str(kept))
    try:
        with Path(name).open("rb") as file:
            file.read(1)
    except OSError as error:
        raise InputError(name, f"cannot be read: {error.strerror}", "Give the path of a readable file, or -") from error
    return Input(name, name)
