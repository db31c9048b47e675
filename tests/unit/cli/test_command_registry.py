"""What goes wrong in a command becomes a sentence and the documented exit status."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from pipeline.agents.last_resort import LastResort
from pipeline.cli import store_options
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.command_registry import command_parser, listing_parser, run_command
from pipeline.cli.commands import check
from pipeline.cli.main import main
from pipeline.model.errors import InputError, RunFailed
from pipeline.store import opening
from pipeline.store.client import Client, StoreRefused
from pipeline.store.migrations import MigrationChanged
from tests.support.process.processes import ROOT

LAST_RESORT = cast(LastResort, None)
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
FULL_FILE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "store/part")
REMEDY = "Check that it may be used and has room, and run the command again"


NOTHING_LOADED = """
import sys
from pipeline.cli.main import main
try:
    main(sys.argv[1:])
finally:
    heavy = {"pyarrow", "numpy", "chdb", "clickhouse_connect", "faust", "aiokafka", "jsonschema", "pandas", "rich"}
    loaded = heavy & sys.modules.keys() | {name for name in sys.modules if name.startswith("pipeline.cli.commands.")}
    print(sorted(loaded))
"""


def test_the_list_of_commands_is_that_of_their_own_parsers() -> None:
    assert listing_parser().format_help() == command_parser(COMMANDS).format_help()


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("-h",), ("nonsense",), ()])
@pytest.mark.slow
def test_no_command_is_loaded_where_none_is_named(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOTHING_LOADED, *words], capture_output=True, cwd=ROOT, text=True, check=False
    )
    assert done.stdout.endswith("[]\n"), done.stdout
    assert done.returncode == (0 if words and words[0].startswith("-") else 2), done.stderr


def test_a_command_behind_other_words_is_loaded(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_command(["--", "check", "--help"], LAST_RESORT)
    capsys.readouterr()


class Away:
    """A store that opens, and fails when it is asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def query(self, *_: object) -> object:
        raise self._error

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (InputError("a.yaml", "is empty", "Write one"), 2, "a.yaml: is empty. Write one"),
        (RunFailed("a.gz", "cannot be written", "Make room"), 1, "a.gz: cannot be written. Make room"),
        (FULL, 1, f"the operating system: No space left on device. {REMEDY}"),
        (FULL_FILE, 1, f"store/part: No space left on device. {REMEDY}"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_every_error_has_its_status_and_a_sentence(
    error: Exception, status: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_path: Path) -> bytes:
        raise error

    monkeypatch.setattr(check, "read_contract_file", fail)
    expected = said if isinstance(error, InputError) else f"seatbeat: {said}"  # `check` says it without our name
    assert run_command(["check", "a.yaml"], LAST_RESORT) == status
    assert capsys.readouterr().err == (f"{expected}\n" if said else "")


def test_a_store_that_fails_at_work_is_a_failure_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing:
        def query(self, *_: object) -> object:
            text = (
                "Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE), Stack trace…"
            )
            raise StoreRefused(text, "DatabaseError")

    @contextmanager
    def opened_store(_dsn: str, **_: bool) -> Iterator[Client]:
        yield cast(Client, Failing())

    monkeypatch.setattr(store_options, "opened_store", opened_store)
    (tmp_path / "metadata").mkdir()
    for words in (["statement", "--period", "2022Q2"], ["dead-letters", "list"], ["contract", "list"], ["commands"]):
        assert run_command([*words, "--data-dir", str(tmp_path)], LAST_RESORT) == 1
        assert capsys.readouterr().err == (
            "seatbeat: the store: failed: Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. "
            "(NOT_ENOUGH_SPACE). Check that it runs and that its disk has room, and run the command again\n"
        )


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (MigrationChanged("0001_usage.sql was changed"), 1, "seatbeat: the store failed: 0001_usage.sql was changed\n"),
        (
            StoreRefused("Code: 243. No space left, Stack trace: 0.\n1.", "DatabaseError"),
            2,
            "takes no tables: Code: 243. No space left. Check that it may be written to",
        ),
    ],
)
def test_a_store_that_fails_is_reported_in_a_sentence(
    error: Exception,
    status: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "metadata").mkdir()
    monkeypatch.setattr(opening, "connect", lambda _: Away(error))
    assert main(["usage", "--data-dir", str(tmp_path)]) == status
    text = capsys.readouterr().err
    assert said in text
    assert text.count("\n") == 1
