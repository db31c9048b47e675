"""Analysts can read the views for the accounts granted to them, and nothing else.

chDB has no users, so the migration's access statements are asserted as text and parsed by ClickHouse. Their grants and
row filters are then given to the engine as the rights of its single configured user.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

import orjson
import pytest

from pipeline.store import migrations
from pipeline.store.client import Client, StoreRefused
from pipeline.store.migrations import (
    Migration,
    Skipped,
    migrate,
    pending_migrations,
    quoted_identifier,
    read_migrations,
    skipped_migrations,
)
from tests.support.store.empty_stores import empty_store

NAME: Final = "0004_analysts.sql"
LATER: Final = "0007_analysts_of_voids.sql"
OF_LEDGER: Final = "0009_analysts_of_ledger.sql"
OF_CONTRACTS: Final = "0010_contracts_in_log_order.sql"
NAMES: Final = (NAME, LATER, OF_LEDGER, OF_CONTRACTS)
MINE: Final = "account IN (SELECT account FROM {database}.analyst_accounts WHERE user = currentUser())"
ACCESS: Final = (
    "CREATE ROLE seatbeat_analyst",
    f"CREATE ROW POLICY seatbeat_analyst ON usage_days FOR SELECT USING {MINE} TO seatbeat_analyst",
    "CREATE ROW POLICY seatbeat_others ON usage_days FOR SELECT USING 1 TO ALL EXCEPT seatbeat_analyst",
    f"CREATE ROW POLICY seatbeat_analyst ON contracts FOR SELECT USING {MINE} TO seatbeat_analyst",
    "CREATE ROW POLICY seatbeat_others ON contracts FOR SELECT USING 1 TO ALL EXCEPT seatbeat_analyst",
    f"CREATE ROW POLICY seatbeat_analyst ON replaced_codes FOR SELECT USING {MINE} TO seatbeat_analyst",
    "CREATE ROW POLICY seatbeat_others ON replaced_codes FOR SELECT USING 1 TO ALL EXCEPT seatbeat_analyst",
    "CREATE ROW POLICY seatbeat_analyst ON analyst_accounts FOR SELECT USING user = currentUser() TO seatbeat_analyst",
    "CREATE ROW POLICY seatbeat_others ON analyst_accounts FOR SELECT USING 1 TO ALL EXCEPT seatbeat_analyst",
    (
        "CREATE SETTINGS PROFILE seatbeat_analyst SETTINGS readonly = 2, max_execution_time = 60 MIN 1 MAX 60, "
        "max_memory_usage = 4000000000 MIN 1 MAX 4000000000, max_concurrent_queries_for_user = 4 MIN 1 MAX 4 "
        "TO seatbeat_analyst"
    ),
    "GRANT SELECT ON analyst_accounts TO seatbeat_analyst",
    "GRANT SELECT(account, content_hash, applied_at, country, currency) ON contracts TO seatbeat_analyst",
    "GRANT SELECT ON current_contracts TO seatbeat_analyst",
    "GRANT SELECT ON replaced_codes TO seatbeat_analyst",
    "GRANT SELECT ON policies TO seatbeat_analyst",
    "GRANT SELECT ON usage_days TO seatbeat_analyst",
    "GRANT SELECT ON usage TO seatbeat_analyst",
    "GRANT SELECT ON usage_slots TO seatbeat_analyst",
    "GRANT SELECT ON slot_counts TO seatbeat_analyst",
)


ACCESS_LATER: Final = (
    "CREATE ROLE seatbeat_analyst",
    f"CREATE ROW POLICY seatbeat_analyst ON commands FOR SELECT USING {MINE} TO seatbeat_analyst",
    "CREATE ROW POLICY seatbeat_others ON commands FOR SELECT USING 1 TO ALL EXCEPT seatbeat_analyst",
    (
        "GRANT SELECT(account, log, topic, partition, offset, id, kind, `by`, issued_at, received_at, excludes, "
        "undoes) ON commands TO seatbeat_analyst"
    ),
    "GRANT SELECT ON first_commands TO seatbeat_analyst",
    "GRANT SELECT ON voids TO seatbeat_analyst",
)


ACCESS_TO_LEDGER: Final = (
    "CREATE ROLE seatbeat_analyst",
    f"CREATE ROW POLICY seatbeat_analyst ON ledger_log FOR SELECT USING {MINE} TO seatbeat_analyst",
    "CREATE ROW POLICY seatbeat_others ON ledger_log FOR SELECT USING 1 TO ALL EXCEPT seatbeat_analyst",
    (
        "GRANT SELECT(account, log, partition, offset, `index`, sequence, id, at, kind, team, product, country, user, "
        "end_at, tokens, uncovered) ON ledger_log TO seatbeat_analyst"
    ),
    "GRANT SELECT ON ledger TO seatbeat_analyst",
)


ACCESS_TO_CONTRACTS: Final = (
    "CREATE ROLE seatbeat_analyst",
    "GRANT SELECT(offset) ON contracts TO seatbeat_analyst",
)


def analysts(name: str = NAME) -> Migration:
    return next(migration for migration in read_migrations() if migration.name == name)


def statements(*names: str) -> list[str]:
    """The migrations' statements, each on a line."""
    return [" ".join(statement.split()) for name in names or (NAME,) for statement in analysts(name).statements]


def test_the_access_statements_are_exactly_these() -> None:
    in_order = statements()
    assert tuple(in_order[in_order.index(ACCESS[0]) :]) == ACCESS
    assert tuple(statements(LATER)) == ACCESS_LATER
    assert tuple(statements(OF_LEDGER)) == ACCESS_TO_LEDGER
    in_order = statements(OF_CONTRACTS)
    assert tuple(in_order[in_order.index(ACCESS_TO_CONTRACTS[0]) :]) == ACCESS_TO_CONTRACTS


def test_the_views_run_with_the_rights_of_the_invoker() -> None:
    every = [" ".join(statement.split()) for migration in read_migrations() for statement in migration.statements]
    views = [match[1] for statement in every if (match := re.match(r"CREATE (?:OR REPLACE )?VIEW (\w+)", statement))]
    assert views
    for view in views:
        about = [
            statement
            for statement in every
            if re.match(rf"(CREATE (OR REPLACE )?VIEW|ALTER TABLE) {view}\b", statement)
        ]
        assert "SQL SECURITY INVOKER" in about[-1], view


@pytest.mark.parametrize("names", [(NAME,), (LATER,), (OF_LEDGER,)])
def test_row_policies_are_created_before_grants(
    names: tuple[str, ...],
) -> None:
    in_order = statements(*names)
    granted = [
        match[1] for statement in in_order if (match := re.match(r"GRANT SELECT(?:\(.*\))? ON (\w+)", statement))
    ]
    first_grant = next(index for index, statement in enumerate(in_order) if statement.startswith("GRANT"))
    protected = {
        match[1]
        for statement in in_order[:first_grant]
        if (match := re.match(r"CREATE ROW POLICY \w+ ON (\w+)", statement))
    }
    views = {"current_contracts", "usage", "usage_slots", "slot_counts", "first_commands", "voids", "ledger"}
    assert set(granted) - views - {"policies"} == protected


def test_clickhouse_can_parse_each_statement(store: Client) -> None:
    for statement in (statement for name in NAMES for statement in analysts(name).statements):
        query = statement.replace("{database}", quoted_identifier("seatbeat"))
        (row,) = store.query("SELECT formatQuery({query:String})", {"query": query}).result_rows
        assert str(row[0]).split()[:2] == statement.split()[:2]


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


# --- the grants and row filters, applied to the engine ---------------------------------------------------------------

DATABASE: Final = "seat beat"
FACTS: Final = """
INSERT INTO usage_days SELECT account, 'OLD', '', 'production', toDate('2022-05-03'), concat(account, '-pc'), 'eva',
    's', '2022-05-03 09:00:00', '2022-05-03 10:00:00', [54, 55, 56], map(), '', now(), now()
FROM (SELECT arrayJoin(['acme', 'other']) AS account)
""", """
INSERT INTO contracts SELECT account, 'hash', now(), 'CZ', 'EUR', 'list_price: secret', 'me', 0
FROM (SELECT arrayJoin(['acme', 'other']) AS account)
""", """
INSERT INTO replaced_codes SELECT account, 'hash', 'OLD', toDate32('2000-01-01'), toDate32('2101-01-01'), 'NEW'
FROM (SELECT arrayJoin(['acme', 'other']) AS account)
""", """
INSERT INTO commands SELECT account, 'main', 'commands', 0, 0, 'v1', 'void', 'me', now(), now(),
    '{"reason":"x","machine":"elsewhere","from":1651568460000,"until":1651568470000}'
FROM (SELECT arrayJoin(['acme', 'other']) AS account)
""", """
INSERT INTO ledger_log SELECT account, 'main', 0, 0, 0, 1, 'e1', now(), 'grant', 'default', '', '', '', now(), 500, 0,
    '{"price":150000}'
FROM (SELECT arrayJoin(['acme', 'other']) AS account)
""", """
INSERT INTO policies SELECT 'ten-minutes', toDate32('2000-01-01'), toDate32('2101-01-01'), 600000, true, 0, 'machine'
""", """
INSERT INTO dead_letters SELECT 'acme', 'main', 'heartbeats', 0, 0, 0, 'bad_json', '', '', NULL, 'secret', now(), '', 0
"""  # fmt: skip

ASK: Final = """
import json, sys
import chdb
engine, answers = chdb.connect(sys.argv[1]), []
for query in json.load(sys.stdin):
    try:
        answers.append(engine.query(query, "JSONCompactEachRow").bytes().decode())
    except Exception as error:
        answers.append("refused: " + str(error))
print(json.dumps(answers))
"""


class Tried(NamedTuple):
    """A store (``STORE`` in queries) with the facts of two accounts, queried as an analyst of a single account."""

    folder: Path
    configuration: Path

    def ask(self, *queries: str) -> list[str]:
        """Each query's rows, or ``refused`` with the reason; the session is in a database of the analyst's own."""
        named = [query.replace("STORE", quoted_identifier(DATABASE)) for query in queries]
        return _ask(f"{self.folder}?config-file={self.configuration}", ["USE own", *named])[1:]


def _ask(address: str, queries: list[str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", ASK, address], input=orjson.dumps(queries), capture_output=True, check=True, timeout=60
    )
    answers = orjson.loads(done.stdout)
    assert isinstance(answers, list)
    return [str(answer) for answer in answers]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Tried:
    folder = tmp_path_factory.mktemp("analysts")
    database = quoted_identifier(DATABASE)
    whole = [
        f"CREATE DATABASE {database}", f"USE {database}",
        *(
            statement
            for migration in read_migrations()
            if migration.name not in NAMES
            for statement in migration.statements
        ),
        *(
            statement
            for name in (NAME, OF_CONTRACTS)
            for statement in analysts(name).statements
            if statement.startswith(("CREATE TABLE", "ALTER TABLE", "CREATE OR REPLACE VIEW"))
        ),
        *FACTS,
        "INSERT INTO analyst_accounts VALUES ('default', 'acme'), ('somebody else', 'other')",
        "CREATE DATABASE own",
        "CREATE TABLE own.analyst_accounts (user String, account String) ENGINE = MergeTree ORDER BY user",
        "INSERT INTO own.analyst_accounts VALUES ('default', 'other')",
    ]  # fmt: skip
    assert [refusal for refusal in _ask(str(folder / "store"), whole) if refusal] == []
    users = folder / "users.xml"
    users.write_text(_rights(database), encoding="utf-8")
    configuration = folder / "config.xml"
    configuration.write_text(f"<clickhouse><users_config>{users}</users_config></clickhouse>", encoding="utf-8")
    return Tried(folder / "store", configuration)


def _rights(database: str) -> str:
    """The migration's grants and row filters for the role, as rights of the engine's single user."""
    grants, filters = ["GRANT SELECT ON own.*"], []
    for statement in statements(*NAMES):
        if grant := re.fullmatch(r"(GRANT SELECT(?:\(.*\))? ON )(\w+) TO seatbeat_analyst", statement):
            grants.append(f"{grant[1]}{database}.{grant[2]}")
        elif policy := re.fullmatch(
            r"CREATE ROW POLICY seatbeat_analyst ON (\w+) FOR SELECT USING (.*) TO seatbeat_analyst", statement
        ):
            rows = policy[2].replace("{database}", database)
            filters.append(f"<table name='{policy[1]}'><filter>{escape(rows)}</filter></table>")
    return (
        "<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users><default><password/>"
        "<networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>"
        f"<grants>{''.join(f'<query>{escape(grant)}</query>' for grant in grants)}</grants>"
        f"<databases><database name='{DATABASE}'>{''.join(filters)}</database></databases>"
        "</default></users></clickhouse>"
    )


def test_an_analyst_sees_only_the_granted_account_in_every_view_and_table(tried: Tried) -> None:
    views = ("usage", "usage_slots", "slot_counts", "current_contracts", "voids", "ledger")
    tables = ("usage_days", "replaced_codes", "analyst_accounts", "commands", "ledger_log")
    answers = tried.ask(*(f"SELECT DISTINCT account FROM STORE.{name}" for name in (*views, *tables)))  # noqa: S608 -- constants
    assert answers == ['["acme"]\n'] * len((*views, *tables))


def test_the_views_return_the_same_rows_to_an_analyst(tried: Tried) -> None:
    usage, counts = tried.ask(
        "SELECT product, country, machine, used_slots FROM STORE.usage",
        "SELECT policy, product, max(units) FROM STORE.slot_counts GROUP BY ALL",
    )
    assert usage == '["NEW", "CZ", "acme-pc", [54,55,56]]\n'
    assert counts == '["ten-minutes", "NEW", 1]\n'


def test_an_analyst_can_neither_write_nor_read_anything_else(tried: Tried) -> None:
    queries = (
        "SELECT body FROM STORE.contracts",
        "SELECT body FROM STORE.commands",
        "SELECT fact FROM STORE.ledger_log",
        "SELECT fact FROM STORE.ledger",
        "SELECT * FROM STORE.dead_letters",
        "SELECT * FROM STORE.session_closes",
        "SELECT * FROM STORE.deliveries",
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
        "INSERT INTO STORE.analyst_accounts VALUES ('default', 'other')",
        "INSERT INTO STORE.usage_days (account) VALUES ('acme')",
        "DROP TABLE STORE.usage_days",
    )
    answers = dict(zip(queries, tried.ask(*queries), strict=True))
    assert {query: answer for query, answer in answers.items() if "(ACCESS_DENIED)" not in answer} == {}


def test_a_table_of_the_same_name_in_another_database_grants_nothing(tried: Tried) -> None:
    answers = tried.ask("SELECT account FROM analyst_accounts", "SELECT DISTINCT account FROM STORE.usage")
    assert answers == ['["other"]\n', '["acme"]\n']
