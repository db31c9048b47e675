"""Migrations: applied once and in order, never changed afterwards, and resumed after an interruption."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pipeline.codec.schema_folder import schema_folder
from pipeline.store import migrations
from pipeline.store.client import Client, Row, StoreRefused
from pipeline.store.migrations import (
    MigrationChanged,
    Skipped,
    migrate,
    pending_migrations,
    quoted_identifier,
    read_migrations,
    skipped_migrations,
)
from tests.support.store.analyst_migrations import NAMES, analysts
from tests.support.store.empty_stores import empty_store

pytestmark = pytest.mark.slow

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


def test_an_up_to_date_store_is_asked_for_nothing_that_writes_a_definition(
    store: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine writes a definition anew for each such statement, and a full disk leaves it empty."""
    with empty_store(store) as empty:
        migrate(empty)
        commands, command = list[str](), empty.command

        def noted(text: str, *more: Any) -> object:
            commands.append(text)
            return command(text, *more)

        monkeypatch.setattr(empty, "command", noted)
        assert migrate(empty) == ()
        assert {" ".join(text.split()[:2]) for text in commands} <= {"CREATE ROLE"}  # which the engine refuses


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


def test_an_engine_without_users_skips_the_access_file(store: Client) -> None:
    assert skipped_migrations(store) == tuple(
        Skipped(name, "CREATE ROLE seatbeat_analyst: ACCESS_DENIED") for name in NAMES
    )
    assert pending_migrations(store) == ()


def test_a_skipped_migration_is_tried_again_and_recorded_once(store: Client) -> None:
    with empty_store(store) as empty:
        first = migrate(empty)
        assert not set(NAMES) & set(first)
        assert migrate(empty) == ()
        assert empty.query("SELECT count() FROM schema_migrations WHERE number = 4").result_rows[0][0] == 1
        empty.command(
            "INSERT INTO schema_migrations (number, name, checksum, skipped) "
            "SELECT number, name, checksum, 'what it refused then' FROM schema_migrations WHERE number = 4"
        )
        migrate(empty)
        assert skipped_migrations(empty) == skipped_migrations(store)


def test_a_store_from_before_skipped_migrations_were_recorded_can_be_migrated(store: Client) -> None:
    with empty_store(store) as empty:
        migrate(empty)
        empty.command("ALTER TABLE schema_migrations DROP COLUMN skipped")
        assert pending_migrations(empty) == ()
        assert migrate(empty) == ()


def test_only_access_files_are_skipped_and_other_refused_files_are_errors(store: Client) -> None:
    assert [migration.name for migration in read_migrations() if migration.manages_access] == [*NAMES]
    with pytest.raises(StoreRefused, match="ACCESS_DENIED"):
        migrations._apply(store, replace(analysts(), manages_access=False))
    with pytest.raises(StoreRefused, match="UNKNOWN_TABLE"):
        migrations._apply(store, replace(analysts(), statements=("DROP TABLE no_such_table",)))


@pytest.mark.parametrize("name", ["with space", "back`tick", "back\\slash", "\\`"])
def test_any_database_name_is_quoted_as_an_identifier(store: Client, name: str) -> None:
    store.command(f"CREATE DATABASE {quoted_identifier(name)}")
    there = store.query("SELECT count() FROM system.databases WHERE name = {name:String}", {"name": name})
    store.command(f"DROP DATABASE {quoted_identifier(name)}")
    assert there.result_rows == [(1,)]
