"""Up to when evidence is complete: marks of logs, of an account or of all (``rules/statement/completeness.py``)."""

from __future__ import annotations

from typing import Final, cast

from pipeline.store.client import Client

ALL_ACCOUNTS: Final = ""
"""The account of a mark that holds for every account: that of a log which live workers work off."""


def read_complete_until(client: Client, account: str) -> int | None:
    """Up to when the evidence of an account is complete: the latest of its marks; ``None`` where there is none."""
    rows = client.query(
        "SELECT toUnixTimestamp64Milli(max(complete_until)), count() FROM completeness "
        "WHERE account IN ({account:String}, {all:String})",
        {"account": account, "all": ALL_ACCOUNTS},
    ).result_rows
    until, marks = cast("tuple[int, int]", rows[0])
    return until if marks else None
