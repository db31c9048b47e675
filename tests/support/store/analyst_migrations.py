"""The migrations that give analysts access, and their statements."""

from __future__ import annotations

from typing import Final

from pipeline.store.migrations import Migration, read_migrations

NAME: Final = "0004_analysts.sql"
LATER: Final = "0007_analysts_of_voids.sql"
OF_LEDGER: Final = "0009_analysts_of_ledger.sql"
OF_CONTRACTS: Final = "0010_contracts_in_log_order.sql"
NAMES: Final = (NAME, LATER, OF_LEDGER, OF_CONTRACTS)


def analysts(name: str = NAME) -> Migration:
    """The migration of a file name."""
    return next(migration for migration in read_migrations() if migration.name == name)


def statements(*names: str) -> list[str]:
    """The migrations' statements, each on a line."""
    return [" ".join(statement.split()) for name in names or (NAME,) for statement in analysts(name).statements]
