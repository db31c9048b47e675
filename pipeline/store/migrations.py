"""Numbered, append-only migrations: ``schemas/clickhouse/NNNN_name.sql``, recorded with their checksums."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.codec.schemas import schema_folder
from pipeline.store.client import Client

_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


class MigrationChanged(Exception):
    """A migration that was applied differs from its file: migrations are only ever appended."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its statements in order, and the SHA-256 of its bytes."""

    number: int
    name: str
    statements: tuple[str, ...]
    checksum: str


def read_migrations(folder: Path | None = None) -> tuple[Migration, ...]:
    """All migrations in order. Raises ``ValueError`` where a number is missing or a name is not of the form."""
    paths = sorted((folder or schema_folder() / "clickhouse").glob("*.sql"))
    found = tuple(_read(path) for path in paths)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations must be numbered 1 to {len(found)} without gaps: {[m.name for m in found]}")
    return found


def migrate(client: Client) -> tuple[str, ...]:
    """Apply what is missing and name it; doing so again changes nothing. Raises ``MigrationChanged``."""
    client.command(
        "CREATE TABLE IF NOT EXISTS schema_migrations (number UInt32, name String, checksum String, "
        "applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = ReplacingMergeTree ORDER BY number"
    )
    missing = _missing(client)
    for migration in missing:
        for statement in migration.statements:
            client.command(_repeatable(statement))
        client.command(
            "INSERT INTO schema_migrations (number, name, checksum) "
            "SELECT {number:UInt32}, {name:String}, {checksum:String}",
            {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
        )
    return tuple(migration.name for migration in missing)


def pending_migrations(client: Client) -> tuple[str, ...]:
    """The migrations a store still lacks, by name; all of them for a store that is none yet."""
    there = client.query(
        "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'"
    )
    missing = _missing(client) if there.result_rows[0][0] else read_migrations()
    return tuple(migration.name for migration in missing)


def _missing(client: Client) -> tuple[Migration, ...]:
    rows = client.query("SELECT number, checksum FROM schema_migrations FINAL").result_rows
    known = {int(str(number)): str(checksum) for number, checksum in rows}
    for migration in read_migrations():
        if known.get(migration.number, migration.checksum) != migration.checksum:
            raise MigrationChanged(f"{migration.name} was changed after it was applied; append a new migration instead")
    return tuple(migration for migration in read_migrations() if migration.number not in known)


def _read(path: Path) -> Migration:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(f"{path.name} is not a migration's name such as 0001_usage.sql")
    text = path.read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    statements = tuple(part.strip() for part in code.split(";\n") if part.strip())
    checksum = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return Migration(int(match[1]), path.name, tuple(s.rstrip(";") for s in statements), checksum)


def _repeatable(statement: str) -> str:
    """A migration that was cut in the middle is applied again from its start."""
    return re.sub(r"^CREATE (TABLE|VIEW) ", r"CREATE \1 IF NOT EXISTS ", statement)
