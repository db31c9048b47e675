"""``seatbeat explain``: the machines, users and sessions behind a count, and what did not count, with the reason."""

from __future__ import annotations

import argparse
import sys

import orjson
from rich.markup import escape
from rich.tree import Tree

from pipeline.cli.access import add_store_options, ask_store, parse_instant
from pipeline.cli.output import console, duration, minute
from pipeline.codec.session_reports import explanation_record
from pipeline.rules.checkouts import TakenOut
from pipeline.rules.explain import SlotExplanation, because, covered_sentence
from pipeline.rules.reading import ContractReading
from pipeline.rules.sessions import Session
from pipeline.store.client import Client
from pipeline.store.explain import read_explanation


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("explain", help="the machines, users and sessions behind the count of a slot")
    add_store_options(parser)
    parser.add_argument("--product", required=True)
    parser.add_argument("--slot", type=parse_instant, required=True, metavar="2022-05-03T09:10:00Z", help="UTC")
    parser.add_argument("--country", default="", help="else the contract's")
    parser.add_argument("--output", choices=("tree", "json"), default="tree")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the explanation on stdout."""

    def ask(client: Client, reading: ContractReading, _engine: str) -> SlotExplanation:
        return read_explanation(client, reading, args.product, reading.country_of(args.country), args.slot)

    explained = ask_store(args, ask)
    if args.output == "json":
        record = explanation_record(explained)
        sys.stdout.buffer.write(orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    else:
        console().print(explanation_tree(explained))
    return 0


def explanation_tree(explained: SlotExplanation) -> Tree:
    """A slot as a tree: units, then their sessions; then what did not count and why."""
    until = minute(explained.slot_at + explained.policy.slot_ms)[11:]
    over = f", [bold]{explained.overuse} over[/bold]" if explained.overuse else ""
    tree = Tree(
        f"{escape(explained.product)} in {escape(explained.country)}, {minute(explained.slot_at)} to {until} UTC: "
        f"[bold]{explained.count}[/bold] of {explained.entitled} entitled{over} ({explained.policy.id})"
    )
    counted = tree.add(f"{explained.count} {_plural(explained.policy.unit, explained.count)} counted")
    for unit in explained.units:
        by = [*map(_session, unit.sessions), *map(_checkout, unit.checkouts)]
        if len(by) == 1:
            counted.add(by[0])
            continue
        sessions = f"its {len(unit.sessions)} sessions"
        if unit.checkouts:
            sessions = f"its {len(unit.sessions)} sessions and {len(unit.checkouts)} checkouts"
        machine = counted.add(f"{escape(unit.machine)}, once for {sessions}")
        for one in by:
            machine.add(one)
    if explained.uncounted:
        rest = tree.add(f"{len(explained.uncounted)} sessions not counted")
        for session in explained.uncounted:
            rest.add(f"{_session(session.session)}: {escape(because(session, explained.policy))}")
    if explained.covered_checkouts:
        rest = tree.add(f"{len(explained.covered_checkouts)} checkouts not counted")
        for taken in explained.covered_checkouts:
            sentence = covered_sentence(taken.covered_by, taken.checkout.user)
            rest.add(f"{_checkout(taken.checkout)}: {escape(sentence)}")
    return tree


def _checkout(taken: TakenOut) -> str:
    return (
        f"{escape(taken.user)} on {escape(taken.machine)}, checked out ({escape(taken.id)}): from "
        f"{minute(taken.from_at)} to {minute(taken.until_at)}"
    )


def _plural(unit: str, count: int) -> str:
    noun = "machine" if unit == "machine" else "session"
    return noun if count == 1 else f"{noun}s"


def _session(session: Session) -> str:
    key, open_for = session.key, duration(session.last_at - session.opened_at)
    return (
        f"{escape(key.user)} on {escape(key.machine)}, {escape(key.product)} {escape(key.session)}: opened "
        f"{minute(session.opened_at)}, last seen {minute(session.last_at)} ({open_for})"
    )
