"""``seatbeat run`` without a contract: what each feature was used for, and how to go on (INTERFACES).

Without a contract nothing can be owed, so nothing is sent through the pipeline and nothing is kept: the files are read
straight into a summary by the ten-minute rule. A ``--data-dir`` is refused here: a store without a contract would
answer none of the commands that read it.
"""

from __future__ import annotations

import argparse
import shlex
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from pipeline.cli.program_messages import program_name, report
from pipeline.cli.tables.console import console
from pipeline.cli.tables.printing import print_csv, print_json
from pipeline.cli.tables.statement_remarks import report_letters
from pipeline.cli.tables.summary_table import summary_table
from pipeline.codec.reports.summary_records import SummaryRecord, summary_document, summary_record
from pipeline.embedded.file_evidence import FileEvidence, read_evidence
from pipeline.model.errors import InputError
from pipeline.model.instants import Period, at_midnight
from pipeline.policy.catalogue import metering_catalogue
from pipeline.policy.metering_policies import MeteringPolicy
from pipeline.rules.summary.feature_summary import FeatureSummary

SUMMARY_POLICY: Final = "bentley-select"
SUMMARY_POLICY_FROM: Final = at_midnight(date(2016, 4, 1))

_Quarters = list[tuple[Period, list[FeatureSummary]]]


def run_summary(args: argparse.Namespace) -> int:
    """0 with the summary on stdout; 2 for input that cannot be used, with ``--strict`` for any line of it."""
    if args.data_dir is not None:
        reason = "keeps what is billed under a contract, and --contract is not given"
        remedy = "Give a --contract (`seatbeat contract draft` writes one from a log), or leave --data-dir out"
        raise InputError("--data-dir", reason, remedy)
    with tempfile.TemporaryDirectory(prefix="seatbeat-", ignore_cleanup_errors=True) as scratch:
        evidence = read_evidence(
            args.input,
            args.format,
            account=args.account or "",
            timezone=args.timezone,
            scratch=Path(scratch),
        )
    report_letters(evidence.unusable, hints=evidence.hints, are_kept=False)
    for note in evidence.notes:
        report(note)
    if args.strict and evidence.unusable.count:
        report("--strict: no summary, because some lines cannot be used")
        return 2
    policy = summary_policy()
    quarters = _summarized(evidence, policy, args.period)
    _print(args, evidence, policy, quarters)
    return 0


def summary_policy() -> MeteringPolicy:
    """The ten-minute rule, for use of any date."""
    return metering_catalogue()[SUMMARY_POLICY].at(SUMMARY_POLICY_FROM)


def _summarized(evidence: FileEvidence, policy: MeteringPolicy, period: Period | None) -> _Quarters:
    periods = [period] if period is not None else list(_quarters(evidence.first_at, evidence.last_at))
    quarters = [
        (quarter, evidence.summaries(policy, from_at=quarter.start_at, until_at=quarter.end_at)) for quarter in periods
    ]
    return [(quarter, features) for quarter, features in quarters if features]


def _quarters(first_at: int, last_at: int) -> Iterator[Period]:
    quarter = Period.containing(first_at)
    yield quarter
    while quarter.end_at < last_at:
        quarter = Period.containing(quarter.end_at)
        yield quarter


def _print(args: argparse.Namespace, evidence: FileEvidence, policy: MeteringPolicy, quarters: _Quarters) -> None:
    records = [summary_record(quarter, feature) for quarter, features in quarters for feature in features]
    if args.output == "json":
        document = summary_document(evidence.first_at, evidence.last_at, policy, records)
        print_json(document)
    elif args.output == "csv":
        print_csv(SummaryRecord.__annotations__, (record.values() for record in records))
    else:
        screen = console()
        for quarter, features in quarters:
            screen.print(summary_table(quarter, features))
        if not quarters:
            screen.print("No session and no true denial in this time.")
        screen.print(_explanation(policy))
        screen.print(_going_on(args), soft_wrap=True)


def _explanation(policy: MeteringPolicy) -> str:
    return (
        f"Times are UTC. Peak: the most machines in one ten-minute slot ({policy.id}, for all dates: sessions under "
        "10 minutes and the slot of the opening do not count).\n"
        "At the peak: the part of the slots with use that hold the peak, and how many. Hours: open time, a machine "
        "counted once at a time.\n"
        "True denials: no checkout by the same user within 10 minutes after it."
    )


def _going_on(args: argparse.Namespace) -> str:
    program = program_name()
    inputs = shlex.join(args.input)
    more = " --license FILE" if args.format == "flexnet" else ""
    zone = "" if args.timezone == "UTC" else f" --timezone {args.timezone}"
    return (
        "How to go on: draft a contract, fill in its prices and seats, and run the files under it:\n"
        f"  {program} contract draft --format {args.format} --input {inputs}{more}{zone} > contract.yaml\n"
        f"  {program} check contract.yaml\n"
        f"  {program} run --contract contract.yaml --format {args.format} --input {inputs}{zone} --period QUARTER"
    )
