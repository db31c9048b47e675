"""The engine behind ClickHouse's HTTP interface: chDB, one data directory, one statement at a time."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import chdb

from tests.support.clickhouse.request import Statement

_CODE: Final = re.compile(r"Code: (\d+)\.")
_SETTING: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STATUS: Final[Mapping[int, int]] = {
    **dict.fromkeys((26, 27, 32, 33, 36, 37, 38, 41, 42, 43, 44, 53, 62, 69, 70, 72, 117, 131, 190, 386, 427), 400),
    **dict.fromkeys((16, 46, 47, 50, 56, 60, 63, 73, 81, 115), 404),
    **dict.fromkeys((192, 193, 497, 516), 403),
    48: 501,
    159: 408,
    209: 503,
}
"""Codes of exceptions that ClickHouse's HTTP handler answers with another status than 500."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows in their format. ``format`` is empty for a statement that has no result."""

    body: bytes
    format: str
    summary: Mapping[str, str]


class EngineError(Exception):
    """The engine's error for a statement: ClickHouse's code and its whole text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text

    @property
    def status(self) -> int:
        """The HTTP status with which ClickHouse answers this code."""
        return _STATUS.get(self.code, 500)


class Engine:
    """A data directory of chDB. Statements may come from many threads and run one after the other.

    Each statement has a connection of its own, so that its settings and database do not affect another statement; the
    statements of a named session share a connection.
    """

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self._path = str(data_dir.resolve())
        self._lock = threading.Lock()
        self._sessions: dict[str, Any] = {}
        self._keeps_open = _connect(self._path)
        version, self.timezone = self._text("SELECT version(), timezone()").split("\t")
        self.version = f"{version} (official build)"

    def run(self, statement: Statement) -> Answer:
        """Execute a statement. Raises ``EngineError``."""
        with self._lock:
            connection = self._connection(statement.session)
            try:
                return self._run(connection, statement)
            except (RuntimeError, ValueError) as error:
                raise self._error(str(error)) from error
            finally:
                if not statement.session:
                    connection.close()

    def close(self) -> None:
        """Close the data directory after the running statement."""
        with self._lock:
            for connection in (*self._sessions.values(), self._keeps_open):
                connection.close()

    def _run(self, connection: Any, statement: Statement) -> Answer:
        if statement.database:
            connection.query(f"USE `{statement.database}`")
        if statement.settings:
            clause = ", ".join(f"{_setting(name)} = '{_quoted(value)}'" for name, value in statement.settings.items())
            connection.query(f"SET {clause}")
        if statement.data is not None:
            return self._insert(connection, statement, statement.data)
        sql, parameters = statement.sql.decode("utf-8"), dict(statement.parameters)
        if statement.names_its_format or statement.answer_format != "TabSeparated":
            result = connection.query(sql, statement.answer_format, params=parameters)
            return Answer(result.bytes() or b"", statement.answer_format, _summary(result))
        # The header line of column names distinguishes an empty result from a statement without a result.
        result = connection.query(sql, "TabSeparatedWithNames", params=parameters)
        names, _, rows = (result.bytes() or b"").partition(b"\n")
        return Answer(rows, "TabSeparated" if names else "", _summary(result))

    def _insert(self, connection: Any, statement: Statement, data: bytes) -> Answer:
        with tempfile.NamedTemporaryFile(suffix=".rows") as file:
            file.write(data)
            file.flush()
            result = connection.query(
                f"{statement.sql.decode('utf-8')} FROM INFILE '{_quoted(file.name)}' FORMAT {statement.data_format}"
            )
        return Answer(b"", "", _summary(result))

    def _connection(self, session: str) -> Any:
        if not session:
            return _connect(self._path)
        if session not in self._sessions:
            self._sessions[session] = _connect(self._path)
        return self._sessions[session]

    def _text(self, sql: str) -> str:
        return bytes(self._keeps_open.query(sql, "TabSeparated").bytes()).decode().strip()

    def _error(self, text: str) -> EngineError:
        match = _CODE.search(text)
        said = text[match.start() :].strip() if match else f"Code: 49. DB::Exception: {text} (LOGICAL_ERROR)"
        return EngineError(int(match[1]) if match else 49, f"{said} (version {self.version})\n")


def _connect(path: str) -> Any:
    return chdb.connect(path)  # type: ignore[no-untyped-call]  # its arguments have no types


def _summary(result: Any) -> dict[str, str]:
    return {
        "read_rows": str(result.storage_rows_read()),
        "read_bytes": str(result.storage_bytes_read()),
        "written_rows": str(result.rows_written()),
        "written_bytes": str(result.bytes_written()),
        "result_rows": str(result.rows_read()),
        "elapsed_ns": str(int(result.elapsed() * 1e9)),
    }


def _setting(name: str) -> str:
    if not _SETTING.fullmatch(name):
        raise ValueError(f"Code: 115. DB::Exception: Unknown setting '{name}'. (UNKNOWN_SETTING)")
    return name


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
