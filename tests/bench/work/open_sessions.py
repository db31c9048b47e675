"""A store with open sessions of one day in it."""

from __future__ import annotations

import argparse

from pipeline.store.client import connect
from pipeline.store.migrations import migrate
from tests.bench.work.facts import insert_open_sessions
from tests.bench.work.say import say


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.work.open_sessions", description=__doc__)
    parser.add_argument("--store", required=True)
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--day", type=int, required=True)
    args = parser.parse_args()
    client = connect(args.store)
    migrate(client)
    insert_open_sessions(client, args.sessions, args.day)
    client.command("OPTIMIZE TABLE usage_days FINAL")
    client.close()
    say(sessions=args.sessions)


if __name__ == "__main__":
    main()
