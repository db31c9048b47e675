"""Migrations: applied once and in order, never changed afterwards, and resumed after an interruption."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from pipeline.codec.schema_folder import schema_folder
from pipeline.store.client import Client, Row
from pipeline.store.migrations import (
    MigrationChanged,
    migrate,
    pending_migrations,
    read_migrations,
    skipped_migrations,
)
from tests.support.store.empty_stores import empty_store

FILES = sorted(path.name for path in (schema_folder() / "clickhouse").glob("*.sql"))


def recorded(store: Client) -> list[Row]:
    query = "SELECT number, name, checksum, skipped, applied_at FROM schema_migrations FINAL ORDER BY number"
    return [*store.query(query).result_rows]


def tables(store: Client) -> dict[str, str]:
    """Every table and view with its definition."""
    query = "SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"
    return {str(name): str(made) for name, made in store.query(query).result_rows}


def test_an_empty_store_lacks_every_migration_and_a_migrated_store_lacks_none(store: Client) -> None:
    with empty_store(store) as empty:
        assert [*pending_migrations(empty)] == FILES
        applied = migrate(empty)
        assert sorted([*applied, *(migration.name for migration in skipped_migrations(empty))]) == FILES
        assert pending_migrations(empty) == ()


def test_migrating_again_changes_nothing(store: Client) -> None:
    with empty_store(store) as empty:
        migrate(empty)
        before = recorded(empty), tables(empty)
        assert migrate(empty) == ()
        assert (recorded(empty), tables(empty)) == before


def test_each_migration_is_recorded_with_the_checksum_of_its_file(store: Client) -> None:
    with empty_store(store) as empty:
        migrate(empty)
        folder = schema_folder() / "clickhouse"
        assert [row[1:3] for row in recorded(empty)] == [
            (name, sha256((folder / name).read_bytes()).hexdigest()) for name in FILES
        ]


def test_a_changed_migration_is_refused_before_anything_is_applied(store: Client) -> None:
    with empty_store(store) as empty:
        migrate(empty)
        empty.command("INSERT INTO schema_migrations (number, name, checksum) SELECT 2, 'old', 'of other bytes'")
        before = recorded(empty)
        with pytest.raises(
            MigrationChanged, match=r"0002_contracts_and_policies\.sql was changed after it was applied"
        ):
            migrate(empty)
        with pytest.raises(MigrationChanged):
            pending_migrations(empty)
        assert recorded(empty) == before


@pytest.mark.parametrize("done", [1, 3, 6])
def test_an_interrupted_migration_is_applied_again(store: Client, done: int) -> None:
    with empty_store(store) as whole, empty_store(store) as cut:
        migrate(whole)
        for statement in read_migrations()[0].statements[:done]:
            cut.command(statement)
        migrate(cut)
        assert tables(cut).keys() == tables(whole).keys()
        assert [row[:4] for row in recorded(cut)] == [row[:4] for row in recorded(whole)]


def test_only_missing_migrations_are_applied(store: Client) -> None:
    with empty_store(store) as empty:
        migrate(empty)
        empty.command("DELETE FROM schema_migrations WHERE name = {name:String}", {"name": FILES[0]})
        assert pending_migrations(empty) == (FILES[0],)
        assert migrate(empty) == (FILES[0],)


def test_migrations_are_read_in_order_with_their_statements(tmp_path: Path) -> None:
    (tmp_path / "0002_more.sql").write_text("CREATE TABLE b (x Int8) ENGINE = Memory;\n", encoding="utf-8")
    (tmp_path / "0001_first.sql").write_text(
        "-- Why.\n\nCREATE TABLE a\n(\n    x Int8 -- a comment\n)\nENGINE = Memory;\n\nCREATE VIEW v AS SELECT 1;",
        encoding="utf-8",
    )
    first, second = read_migrations(tmp_path)
    assert (first.number, first.name) == (1, "0001_first.sql")
    assert first.statements == (
        "CREATE TABLE a\n(\n    x Int8 -- a comment\n)\nENGINE = Memory",
        "CREATE VIEW v AS SELECT 1",
    )
    assert second.statements == ("CREATE TABLE b (x Int8) ENGINE = Memory",)


@pytest.mark.parametrize("names", [("0002_second.sql",), ("0001_a.sql", "0003_b.sql"), ("0001_a.sql", "0001_b.sql")])
def test_gaps_between_numbers_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match="without gaps"):
        read_migrations(tmp_path)


@pytest.mark.parametrize("name", ["1_short.sql", "0001-dashes.sql", "0001_Upper.sql", "first.sql"])
def test_invalid_file_names_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(ValueError, match="is not a migration's name"):
        read_migrations(tmp_path)
