"""The access statements for analysts, as text: chDB has no users, so they are asserted and parsed, not executed."""

from __future__ import annotations

import re
from typing import Final

import pytest

from pipeline.store.client import Client
from pipeline.store.migrations import (
    quoted_identifier,
    read_migrations,
)
from tests.support.store.analyst_migrations import LATER, NAME, NAMES, OF_CONTRACTS, OF_LEDGER, analysts, statements

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
