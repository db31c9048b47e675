"""Totals of an account: heartbeats metered, dead letters, the latest evidence."""

from __future__ import annotations

from typing import Final, cast

from pipeline.store.client import Client

_HEARTBEATS: Final = """
SELECT sum(arraySum(mapValues(heartbeats)))
FROM (SELECT heartbeats FROM deliveries FINAL WHERE account = {account:String})
"""

_DEAD_LETTERS: Final = """
SELECT uniqExact(log, topic, partition, offset, `index`)
FROM dead_letters
WHERE account = {account:String} OR account = ''
"""

_LATEST: Final = """
SELECT toUnixTimestamp64Milli(max(last_at)), count() FROM usage_days WHERE account = {account:String}
"""


def count_heartbeats(client: Client, account: str) -> int:
    """How many valid heartbeats of an account were metered, each delivery counted once."""
    return cast(int, client.query(_HEARTBEATS, {"account": account}).result_rows[0][0])


def count_dead_letters(client: Client, account: str) -> int:
    """How many dead letters name an account or none, each counted once however often it was delivered."""
    return cast(int, client.query(_DEAD_LETTERS, {"account": account}).result_rows[0][0])


def latest_evidence_at(client: Client, account: str) -> int | None:
    """The latest instant any stored evidence of an account speaks of, ``None`` without any."""
    latest_at, count = cast(tuple[int, int], client.query(_LATEST, {"account": account}).result_rows[0])
    return latest_at if count else None
