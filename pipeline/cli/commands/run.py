"""``seatbeat run``: files through the whole pipeline, to the end, then the statement (INTERFACES)."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from pipeline.cli.command_list import COMMANDS
from pipeline.cli.option_parser import file_name
from pipeline.cli.program_messages import quiet_logs, report
from pipeline.cli.store_options import make_store_folder, now_ms, parse_period
from pipeline.cli.tables.progress_bar import stage_progress
from pipeline.cli.tables.statement_remarks import report_letters, report_refused
from pipeline.cli.tables.statement_tables import (
    print_statement,
)
from pipeline.codec.contract.examination import read_contract, read_contract_file
from pipeline.model.errors import InputError
from pipeline.policy.timeline import BeforeFirstRow
from pipeline.store.client import StoreUnreachable
from pipeline.store.opening import store_error


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "run",
        help=COMMANDS["run"],
        description="Plays heartbeat files or FlexNet debug logs through the whole pipeline (embedded broker, agents, "
        "embedded ClickHouse) and prints the statement of one quarter. Without a contract it prints what each feature "
        "was used for.",
    )
    parser.add_argument("--contract", type=Path, help="the contract, a YAML file (else a summary by feature)")
    help_text = "files, .gz and .zst too; - is stdin"
    parser.add_argument("--input", nargs="+", type=file_name, required=True, metavar="FILE", help=help_text)
    parser.add_argument("--format", choices=("heartbeats", "flexnet"), default="heartbeats")
    parser.add_argument(
        "--period",
        type=parse_period,
        metavar="2022Q2",
        help="the calendar quarter (a summary has every quarter of the files without)",
    )
    parser.add_argument("--output", choices=("table", "json", "csv"), default="table")
    parser.add_argument("--data-dir", type=Path, help="keep the store here (else it is temporary)")
    parser.add_argument("--account", help="whose log it is, for FlexNet logs (else the contract's account)")
    parser.add_argument("--timezone", default="UTC", help="time zone of a FlexNet log's clock, such as Europe/Prague")
    parser.add_argument("--strict", action="store_true", help="end with status 2 if any line cannot be used")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 with the statement, or the summary; 1 where the pipeline failed; 2 for input that cannot be used."""
    if args.contract is None:
        from pipeline.cli.commands.run_summary import run_summary  # noqa: PLC0415 -- loads the Kafka client

        return run_summary(args)
    if args.period is None:
        raise InputError("--period", "is not given", "Name the calendar quarter of the statement, such as 2022Q2")
    body = read_contract_file(args.contract)
    contract = read_contract(str(args.contract), body)
    from pipeline.embedded.file_run import RunRequest, run_files  # noqa: PLC0415
    from pipeline.embedded.log_import import counts_sentence  # noqa: PLC0415
    from pipeline.embedded.pipeline import PipelineFailed  # noqa: PLC0415 -- a wrong contract is told before the engine loads

    quiet_logs()
    with tempfile.TemporaryDirectory(prefix="seatbeat-", ignore_cleanup_errors=True) as scratch:
        data_dir = make_store_folder(args.data_dir or Path(scratch) / "store")
        request = RunRequest(
            contract=contract,
            body=body,
            inputs=tuple(args.input),
            format=args.format,
            account=args.account or contract.account,
            timezone=args.timezone,
            period=args.period,
            data_dir=data_dir,
            scratch=Path(scratch),
            now=now_ms,
        )
        try:
            with stage_progress() as progress:
                outcome = run_files(request, progress, args.last_resort.failed)
        except PipelineFailed as error:
            report(f"the pipeline failed: {error}; nothing that was acknowledged is lost, so run it again")
            return 1
        except StoreUnreachable as error:
            raise store_error(str(data_dir), error) from error
        except BeforeFirstRow as error:
            raise InputError(
                str(args.contract), str(error), "Choose a default_policy that covers the period"
            ) from error
    if outcome.statement.state == "open":
        report_refused(contract, outcome.commands)
    report_letters(outcome.letters, hints=outcome.hints)
    if outcome.log_summary is not None:
        for note in outcome.log_summary.notes:
            report(f"warning: {note}")
        report(counts_sentence(outcome.log_summary.counts))
    if args.strict and outcome.letters.count:
        report("--strict: no statement, because some lines cannot be used")
        return 2
    print_statement(outcome.statement, args.output)
    return 0
