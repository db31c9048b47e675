"""Analysts can read the views for the accounts granted to them, and nothing else.

The grants and row filters of the migrations are given to the engine as the rights of its single configured user.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

import orjson
import pytest

from pipeline.store.migrations import (
    quoted_identifier,
    read_migrations,
)
from tests.support.store.analyst_migrations import NAME, NAMES, OF_CONTRACTS, analysts, statements

pytestmark = pytest.mark.slow

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
