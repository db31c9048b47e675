"""Errors of commands become exit statuses and a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.store import opening
from pipeline.store.client import StoreRefused
from pipeline.store.migrations import MigrationChanged


class Away:
    """A store that opens, and fails when it is asked."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def command(self, *_: object) -> object:
        raise self._error

    def close(self) -> None:
        """Nothing is open."""


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
