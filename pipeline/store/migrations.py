"""Numbered, append-only migrations: ``schemas/clickhouse/NNNN_name.sql``, recorded with their checksums.

A file with the line ``-- engine: server`` manages users. An engine that keeps none, or whose user may not manage them,
skips it from the first statement on that it refuses; that is recorded with the reason, and tried again next time.
In such a file ``{database}`` is the name of the database that is migrated.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.codec.schema_folder import schema_folder
from pipeline.model.errors import StoreFault
from pipeline.store.client import Client, StoreRefused

_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_SERVER: Final = "-- engine: server"
_CREATE: Final = re.compile(r"^CREATE (TABLE|VIEW|ROLE|ROW POLICY|SETTINGS PROFILE) ")
_NO_ACCESS_KEPT: Final = frozenset(
    {"ACCESS_DENIED", "ACCESS_STORAGE_FOR_INSERTION_NOT_FOUND", "ACCESS_STORAGE_READONLY"}
)
"""ClickHouse's names for: may not manage access, keeps no users, keeps only those of its configuration."""
_ERROR_NAME: Final = re.compile(r"\(([A-Z][A-Z_]+)\)")


class MigrationChanged(StoreFault):
    """A migration that was applied differs from its file: migrations are only ever appended."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its statements in order, and the SHA-256 of its bytes."""

    number: int
    name: str
    statements: tuple[str, ...]
    checksum: str
    manages_access: bool


@dataclass(frozen=True, slots=True)
class Skipped:
    """A migration that this engine skipped, and what it refused."""

    name: str
    reason: str


def read_migrations(folder: Path | None = None) -> tuple[Migration, ...]:
    """All migrations in order. Raises ``ValueError`` where a number is missing or a name is not of the form."""
    paths = sorted((folder or schema_folder() / "clickhouse").glob("*.sql"))
    migrations = tuple(_read(path) for path in paths)
    if [migration.number for migration in migrations] != list(range(1, len(migrations) + 1)):
        raise ValueError(
            f"migrations must be numbered 1 to {len(migrations)} without gaps: {[m.name for m in migrations]}"
        )
    return migrations


def migrate(client: Client) -> tuple[str, ...]:
    """Apply what is missing and name it; doing so again changes nothing. Raises ``MigrationChanged``."""
    _lay_out_record(client)
    skipped_before = {skipped.name: skipped.reason for skipped in skipped_migrations(client)}
    applied = []
    for migration in _missing(client, but=skipped_before):
        reason = _apply(client, migration, skipped_before.get(migration.name, ""))
        if not reason:
            applied.append(migration.name)
        if skipped_before.get(migration.name) != reason:
            client.command(
                "INSERT INTO schema_migrations (number, name, checksum, skipped) "
                "SELECT {number:UInt32}, {name:String}, {checksum:String}, {skipped:String}",
                {
                    "number": migration.number,
                    "name": migration.name,
                    "checksum": migration.checksum,
                    "skipped": reason,
                },
            )
    return tuple(applied)


def _lay_out_record(client: Client) -> None:
    """Make the table that records migrations, where it is not as this version needs it.

    Asked first: the embedded engine writes a table's definition anew for every ``ALTER``, even one that changes
    nothing, and on a full disk it leaves that file empty and the store unreadable.
    """
    columns = client.query(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'schema_migrations'"
    ).result_rows
    if not columns:
        client.command(
            "CREATE TABLE IF NOT EXISTS schema_migrations (number UInt32, name String, checksum String, "
            "applied_at DateTime64(3, 'UTC') DEFAULT now64(3), skipped String) ENGINE = ReplacingMergeTree "
            "ORDER BY number"
        )
    elif ("skipped",) not in columns:
        client.command("ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS skipped String")


def skipped_migrations(client: Client) -> tuple[Skipped, ...]:
    """The migrations that a migrated store skipped. They manage access; metering does not need them."""
    rows = client.query(
        "SELECT name, skipped FROM schema_migrations FINAL WHERE skipped != '' ORDER BY number"
    ).result_rows
    return tuple(Skipped(str(name), str(reason)) for name, reason in rows)


def pending_migrations(client: Client) -> tuple[str, ...]:
    """The migrations a store still lacks, by name; all of them for an empty store."""
    there = client.query(
        "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'"
    )
    missing = _missing(client) if there.result_rows[0][0] else read_migrations()
    return tuple(migration.name for migration in missing)


def _missing(client: Client, but: Container[str] = ()) -> tuple[Migration, ...]:
    """The migrations that are not recorded, and those of ``but`` even if they are."""
    rows = client.query("SELECT number, checksum FROM schema_migrations FINAL").result_rows
    checksums = {int(str(number)): str(checksum) for number, checksum in rows}
    for migration in read_migrations():
        if checksums.get(migration.number, migration.checksum) != migration.checksum:
            raise MigrationChanged(f"{migration.name} was changed after it was applied; append a new migration instead")
    return tuple(
        migration for migration in read_migrations() if migration.number not in checksums or migration.name in but
    )


def _apply(client: Client, migration: Migration, refused_before: str = "") -> str:
    """Run a migration's statements. ``''``, or the statement on access that an engine without users refused.

    A migration that was skipped before goes on at the statement that was refused: those before it have been applied,
    and opening a store must not write its definitions anew.
    """
    for statement in _statements_left(migration, refused_before):
        try:
            client.command(_repeatable(_in_database(client, statement) if migration.manages_access else statement))
        except StoreRefused as error:
            names = _ERROR_NAME.findall(str(error))
            if not migration.manages_access or not _NO_ACCESS_KEPT.intersection(names):
                raise
            return f"{_beginning(statement)}: {names[-1]}"
    return ""


def _statements_left(migration: Migration, refused_before: str) -> tuple[str, ...]:
    beginning, _, _ = refused_before.partition(":")
    places = [at for at, statement in enumerate(migration.statements) if _beginning(statement) == beginning]
    return migration.statements[places[0] :] if places else migration.statements


def _beginning(statement: str) -> str:
    return " ".join(statement.split()[:3])


def _in_database(client: Client, statement: str) -> str:
    if "{database}" not in statement:
        return statement
    database = str(client.query("SELECT currentDatabase()").result_rows[0][0])
    return statement.replace("{database}", quoted_identifier(database))


def quoted_identifier(name: str) -> str:
    """A name quoted for SQL, whatever characters it has."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _read(path: Path) -> Migration:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(f"{path.name} is not a migration's name such as 0001_usage.sql")
    text = path.read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    statements = tuple(part.strip() for part in code.split(";\n") if part.strip())
    checksum = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return Migration(
        int(match[1]), path.name, tuple(s.rstrip(";") for s in statements), checksum, _SERVER in text.splitlines()
    )


def _repeatable(statement: str) -> str:
    """The statement so that a migration that was interrupted can be applied again from its start."""
    return _CREATE.sub(r"CREATE \1 IF NOT EXISTS ", statement)
