"""ClickHouse by itself: session days from a file of heartbeats by one statement, into the table that the sink fills.

It validates nothing and counts no deliveries, and uses every core.
"""

from __future__ import annotations

import argparse
import time
from typing import Final

from pipeline.store.client import connect
from pipeline.store.migrations import migrate
from tests.bench.work.say import say

STATEMENT: Final = """
INSERT INTO usage_days
SELECT account, product, country, usage, toDate(toInt32(day)), lower(machine) AS machine, lower(user) AS user, session,
       fromUnixTimestamp64Milli(min(opened_at), 'UTC'), fromUnixTimestamp64Milli(max(at), 'UTC'),
       groupUniqArrayArray(arrayMap(slot -> toUInt8(slot % 144), range(intDiv(since, 600000), intDiv(at, 600000) + 1))),
       maxMap(map(resumed_at, active_at)), max(version), now64(3, 'UTC'), now64(3, 'UTC')
FROM file({file:String}, JSONEachRow, 'account String, product String, country String, usage String, machine String,
     user String, session String, version String, opened_at Int64, since Int64, at Int64, resumed_at Int64,
     active_at Int64')
GROUP BY account, product, country, usage, intDiv(at, 86400000) AS day, machine, user, session
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.work.sql", description=__doc__)
    parser.add_argument("--file", required=True)
    parser.add_argument("--store", required=True)
    args = parser.parse_args()
    client = connect(args.store)
    migrate(client)
    started_s, cpu_s = time.perf_counter(), time.process_time()
    client.command(STATEMENT, {"file": args.file})
    seconds, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    days = client.query("SELECT count() FROM usage_days").result_rows[0][0]
    heartbeats = client.query("SELECT count() FROM file({file:String}, LineAsString)", {"file": args.file}).result_rows
    client.close()
    say(
        heartbeats=float(str(heartbeats[0][0])), seconds=seconds, cpu_seconds=cpu_s, session_days=float(str(days)),
    )  # fmt: skip


if __name__ == "__main__":
    main()
