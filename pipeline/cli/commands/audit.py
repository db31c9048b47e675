"""``seatbeat audit``: recompute what is stored from its evidence and commands, and tell every difference."""

from __future__ import annotations

import argparse
from typing import Final

from pipeline.application.account_view import AccountView
from pipeline.application.quarter.account_audit import LedgerAudit, LinesAudit, audit_ledger, audit_lines
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.program_messages import report
from pipeline.cli.store_options import add_store_options, ask_account, parse_period
from pipeline.cli.tables.printing import print_json
from pipeline.codec.json_text import json_bytes
from pipeline.codec.reports.letter_records import printable
from pipeline.codec.statement.line_json import line_record
from pipeline.model.statements import Line

DIFFERS: Final = 1


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "audit",
        help=COMMANDS["audit"],
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

    def ask(view: AccountView) -> tuple[LedgerAudit, LinesAudit | None, str]:
        lines = None if args.period is None else audit_lines(view, args.period)
        return audit_ledger(view), lines, view.contract.currency

    ledger, lines, currency = ask_account(args, ask)
    records = _differences(ledger, lines, currency)
    if args.output == "json":
        print_json(_record(ledger, lines, records))
    else:
        for record in records:
            print(printable(f"{record['what']}: {record['where']}: {record['detail']}"))
        print(_checked(ledger, lines))
    if records:
        report(f"{len(records):,} differences between what is stored and what it rests on")
    return DIFFERS if records else 0


def _differences(ledger: LedgerAudit, lines: LinesAudit | None, currency: str) -> list[dict[str, str]]:
    records = [
        {"what": difference.what, "where": f"entry {difference.entry}", "detail": difference.detail}
        for difference in ledger.differences
    ]
    for stored, anew in lines.differences if lines else ():
        line = stored or anew
        where = "" if line is None else f"line {line.product} {line.country} {line.model}"
        detail = f"the store counts {_line_text(stored, currency)}, the plain rules {_line_text(anew, currency)}"
        records.append({"what": "other_count", "where": where, "detail": detail})
    return records


def _line_text(line: Line | None, currency: str) -> str:
    return "no line" if line is None else json_bytes(line_record(line, currency)).decode()


def _checked(ledger: LedgerAudit, lines: LinesAudit | None) -> str:
    text = (
        f"checked {ledger.entries:,} entries in {ledger.postings:,} postings, {ledger.debits:,} debits, against "
        f"{ledger.sessions:,} sessions; granted = balance + debited + expired was asserted after every entry"
    )
    if lines is not None:
        text += f"\nchecked {lines.lines:,} lines of {lines.period} against {lines.sessions:,} sessions"
    return text


def _record(ledger: LedgerAudit, lines: LinesAudit | None, differences: list[dict[str, str]]) -> dict[str, object]:
    return {
        "ledger": {
            "postings": ledger.postings, "entries": ledger.entries, "debits": ledger.debits,
            "sessions": ledger.sessions,
        },
        "lines": None if lines is None else {
            "period": lines.period, "lines": lines.lines, "sessions": lines.sessions,
        },
        "differences": differences,
    }  # fmt: skip
