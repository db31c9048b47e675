"""``seatbeat audit``: recompute what is stored from its evidence and commands, and tell every difference."""

from __future__ import annotations

import argparse
import sys

import orjson

from pipeline.application.account_audit import LedgerAudit, LinesAudit, audit_ledger, audit_lines
from pipeline.cli.store_options import add_store_options, ask_store, parse_period
from pipeline.cli.tables.output import report
from pipeline.codec.reports.letter_records import printable
from pipeline.codec.statement.line_json import line_record
from pipeline.model.statements import Line
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client

DIFFERS = 1
Found = tuple[LedgerAudit, LinesAudit | None, str]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "audit",
        help="recompute the token ledger, and a quarter's lines, and compare",
        description="Recomputes the token ledger from the stored evidence, commands and contract, judging every entry "
        "by what stood before it: granted = balance + debited + expired for every team after each, debits due, paid "
        "by the right packs, none missing. With --period the lines of people and pools are counted anew without SQL. "
        "A contract, seat or void that came after the settlement shows as a difference.",
    )
    add_store_options(parser)
    parser.add_argument("--period", type=parse_period, metavar="2022Q2", help="the lines of this quarter, too")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with what was checked; 1 with every difference."""

    def ask(client: Client, reading: ContractReading, _engine: str) -> Found:
        lines = None if args.period is None else audit_lines(client, reading, args.period)
        return audit_ledger(client, reading), lines, reading.contract.currency

    ledger, lines, currency = ask_store(args, ask)
    records = _differences(ledger, lines, currency)
    if args.output == "json":
        _print_json(ledger, lines, records)
    else:
        for one in records:
            print(printable(f"{one['what']}: {one['where']}: {one['detail']}"))
        print(_checked(ledger, lines))
    if records:
        report(f"{len(records):,} differences between what is stored and what it rests on")
    return DIFFERS if records else 0


def _differences(ledger: LedgerAudit, lines: LinesAudit | None, currency: str) -> list[dict[str, str]]:
    found = [{"what": one.what, "where": f"entry {one.entry}", "detail": one.detail} for one in ledger.differences]
    for told, anew in lines.differences if lines else ():
        line = told or anew
        where = "" if line is None else f"line {line.product} {line.country} {line.model}"
        detail = f"the store counts {_line_text(told, currency)}, the plain rules {_line_text(anew, currency)}"
        found.append({"what": "other_count", "where": where, "detail": detail})
    return found


def _line_text(line: Line | None, currency: str) -> str:
    return "no line" if line is None else orjson.dumps(line_record(line, currency)).decode()


def _checked(ledger: LedgerAudit, lines: LinesAudit | None) -> str:
    told = (
        f"checked {ledger.entries:,} entries in {ledger.postings:,} postings, {ledger.debits:,} debits, against "
        f"{ledger.sessions:,} sessions; granted = balance + debited + expired was asserted after every entry"
    )
    if lines is not None:
        told += f"\nchecked {lines.lines:,} lines of {lines.period} against {lines.sessions:,} sessions"
    return told


def _print_json(ledger: LedgerAudit, lines: LinesAudit | None, records: list[dict[str, str]]) -> None:
    told: dict[str, object] = {
        "ledger": {
            "postings": ledger.postings, "entries": ledger.entries, "debits": ledger.debits,
            "sessions": ledger.sessions,
        },
        "lines": None if lines is None else {
            "period": lines.period, "lines": lines.lines, "sessions": lines.sessions,
        },
        "differences": records,
    }  # fmt: skip
    sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
