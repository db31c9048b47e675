"""``seatbeat contract draft``: a commented contract from a log and, where there is one, its server's licence file."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from pipeline.application.drafting.contract_draft import DraftRequest, draft_contract
from pipeline.application.drafting.drafted_products import draft_products
from pipeline.cli.commands.run_summary import summary_policy
from pipeline.cli.option_parser import file_name
from pipeline.cli.program_messages import report
from pipeline.cli.tables.printing import print_bytes
from pipeline.cli.tables.statement_remarks import report_letters
from pipeline.codec.license_file import LicenseFile, read_license_file
from pipeline.embedded.file_evidence import FileEvidence, read_evidence
from pipeline.model.errors import InputError
from pipeline.rules.summary.feature_pairs import feature_pairs

LICENSE_BYTES_MAX = 16 * 1024 * 1024


def add_draft_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the action."""
    drafting = actions.add_parser(
        "draft",
        help="draft a contract from a log and its server's licence file",
        description="Writes a commented contract to stdout: products from the features of the log, entitlements from "
        "the licence file, prices left to fill in. Nothing secret of the licence file is kept.",
    )
    help_text = "files, .gz and .zst too; - is stdin"
    drafting.add_argument("--input", nargs="+", type=file_name, required=True, metavar="FILE", help=help_text)
    drafting.add_argument("--format", choices=("heartbeats", "flexnet"), default="flexnet")
    drafting.add_argument("--license", type=Path, metavar="FILE", help="the FlexNet licence file (lmgrd -c)")
    drafting.add_argument("--account", default="", help="the contract's account (else my-account)")
    drafting.add_argument("--country", default="XX", help="two letters (ISO 3166; XX until you say)")
    drafting.add_argument("--currency", default="EUR", help="three letters (ISO 4217)")
    drafting.add_argument("--timezone", default="UTC", help="time zone of a FlexNet log's clock, such as Europe/Prague")
    drafting.set_defaults(run=run_draft)


def run_draft(args: argparse.Namespace) -> int:
    """0 with the contract on stdout; 2 for files that cannot be used."""
    license_file = None if args.license is None else read_license_file(str(args.license), _content(args.license))
    with tempfile.TemporaryDirectory(prefix="seatbeat-", ignore_cleanup_errors=True) as scratch:
        evidence = read_evidence(
            args.input, args.format, account=args.account, timezone=args.timezone, scratch=Path(scratch)
        )
    report_letters(evidence.unusable, hints=evidence.hints, are_kept=False)
    for note in evidence.notes:
        report(note)
    for note in license_file.notes if license_file is not None else ():
        report(f"{args.license}: {note}")
    print_bytes(draft_contract(_request(args, evidence, license_file)).encode())
    return 0


def _request(args: argparse.Namespace, evidence: FileEvidence, license_file: LicenseFile | None) -> DraftRequest:
    products = draft_products(evidence.sessions.features(), feature_pairs(evidence.sessions.checkouts()), license_file)
    code_of = {member.feature: product.code for product in products for member in product.members}
    use = evidence.summaries(summary_policy(), product_of=code_of)
    accounts = evidence.sessions.accounts(of_production=True) if args.format == "heartbeats" else set()
    return DraftRequest(
        account=args.account or (accounts.pop() if len(accounts) == 1 else "my-account"),
        country=args.country,
        currency=args.currency,
        inputs=tuple(Path(name).name for name in args.input),
        license_name="" if args.license is None else args.license.name,
        license=license_file,
        products=tuple(products),
        use={summary.feature: summary for summary in use},
        first_at=evidence.first_at,
        last_at=evidence.last_at,
    )


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LICENSE_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(str(path), f"cannot be read: {reason}", "Give the path of a licence file") from error
    if len(content) > LICENSE_BYTES_MAX:
        raise InputError(str(path), f"has more than {LICENSE_BYTES_MAX:,} bytes", "Give the server's licence file")
    return content
