"""``seatbeat contract``: apply a contract as a new version, list the versions there are, draft one from a log."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager
from pathlib import Path

from pipeline.application.orders.apply_contract import apply_contract, stored_version
from pipeline.application.orders.contract_history import account_contract_versions
from pipeline.application.orders.poster import NotPosted
from pipeline.cli.command_list import COMMANDS
from pipeline.cli.commands.contract_drafting import add_draft_parser
from pipeline.cli.post_options import add_author_option, author, chosen_poster, report_not_posted
from pipeline.cli.program_messages import report
from pipeline.cli.store_options import make_store_folder, opened
from pipeline.cli.tables.cells import literal, minute
from pipeline.cli.tables.console import console
from pipeline.cli.tables.fitted_table import FittedTable
from pipeline.cli.tables.printing import print_json
from pipeline.codec.contract.examination import examine_contract, read_contract_file
from pipeline.model.addresses import DSN_VARIABLE
from pipeline.model.errors import ContractInvalid
from pipeline.model.instants import iso
from pipeline.store.client import Client
from pipeline.store.opening import opened_folder


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its actions."""
    parser = subparsers.add_parser("contract", help=COMMANDS["contract"])
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    applying = actions.add_parser(
        "apply",
        help="make a file the account's contract",
        description="Checks a contract and makes it its account's from now on, as a new version: facts are read again "
        "under it, none is written again. A change for the past is a new version too. The same file again is the same "
        "version.",
    )
    applying.add_argument("contract", type=Path, metavar="FILE", help="the contract, a YAML file")
    add_author_option(applying)
    applying.set_defaults(run=run_apply)
    listing = actions.add_parser("list", help="the versions of an account's contract, the one in force last")
    listing.add_argument("--account", default="", help="whose, where the store holds several")
    listing.add_argument("--output", choices=("table", "json"), default="table")
    listing.set_defaults(run=run_list)
    add_draft_parser(actions)
    for action in (applying, listing):
        action.add_argument("--data-dir", type=Path, help=f"folder of an embedded store (else {DSN_VARIABLE})")


def run_apply(args: argparse.Namespace) -> int:
    """0 with the version on stdout; 2 with every mistake in the contract on stderr; 1 where posting failed."""
    body = read_contract_file(args.contract)
    examined = examine_contract(body)
    if examined.contract is None:
        raise ContractInvalid(str(args.contract), examined.mistakes)
    for warning in examined.warnings:
        report(f"warning: {args.contract}:{warning.line}: {warning.path}: {warning.reason}. {warning.remedy}")
    contract = examined.contract
    account, content_hash = contract.account, contract.content_hash
    try:
        with _opened_to_apply(args) as client:
            before = stored_version(client, contract)
            if before is not None and before.is_current:
                print(f"{content_hash} is {account}'s contract already, since {iso(before.applied_at)}")
                return 0
            poster = chosen_poster(args, client)
            applied = apply_contract(client, contract, body, by=author(args), before=before, poster=poster)
    except NotPosted as error:
        return report_not_posted(error, f"`seatbeat contract apply {args.contract}`")
    print(f"{content_hash} is {account}'s contract, applied {iso(applied.applied_at)} by {applied.applied_by}")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """0 with the versions on stdout."""
    with opened(args) as client:
        versions = account_contract_versions(client, args.account)
    if args.output == "json":
        records = [
            {
                "contract": version.content_hash,
                "applied_at": iso(version.applied_at),
                "applied_by": version.applied_by,
                "current": version.is_current,
            }
            for version in versions
        ]
        print_json(records)
        return 0
    table = FittedTable()
    table.add_whole("Contract", "Applied")
    table.add_texts("By", "State")
    for version in versions:
        in_force = "in force" if version.is_current else ""
        table.add_row(version.content_hash, minute(version.applied_at), literal(version.applied_by), in_force)
    console().print(table)
    return 0


def _opened_to_apply(args: argparse.Namespace) -> AbstractContextManager[Client]:
    """The store that a contract goes to; a folder need not hold one yet. Raises ``InputError``."""
    return opened(args, to_write=True) if args.data_dir is None else opened_folder(make_store_folder(args.data_dir))
