"""``seatbeat contract``: apply a contract as a new version, list the versions there are, draft one from a log."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import orjson
from rich.table import Table

from pipeline.cli.commands.contract_drafting import add_draft_parser
from pipeline.cli.post_options import NotPosted, add_author_option, author, posted, report_not_posted
from pipeline.cli.store_options import DSN_VARIABLE, opened_store
from pipeline.cli.tables.output import console, minute, report, shown
from pipeline.codec.contract.examination import examine_contract, read_contract_file
from pipeline.kafka.posting import contract_message
from pipeline.model.errors import ContractInvalid, InputError
from pipeline.model.instants import iso
from pipeline.store.client import Client
from pipeline.store.contract_versions import ContractVersion, contract_accounts, contract_versions


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command and its actions."""
    parser = subparsers.add_parser("contract", help="apply a contract, list its versions, or draft one from a log")
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
    account, version = contract.account, contract.content_hash
    if args.data_dir is None or (args.data_dir / "metadata").is_dir():
        with opened_store(args) as client:
            before = _found(contract_versions(client, account), version)
        if before is not None and before.is_current:
            print(f"{version} is {account}'s contract already, since {iso(before.applied_at)}")
            return 0
    else:
        before = None
    applied_after = before.applied_at if before is not None else -1

    def is_shown(client: Client, _partition: int, _offset: int) -> bool:
        found = _found(contract_versions(client, account), version)
        return found is not None and found.applied_at > applied_after

    def ask(client: Client) -> ContractVersion | None:
        return _found(contract_versions(client, account), version)

    try:
        found = posted(args, contract_message(contract, body, author(args)), is_shown, ask)
    except NotPosted as error:
        return report_not_posted(error, f"`seatbeat contract apply {args.contract}`")
    if found is None:
        raise AssertionError("a contract that was shown is stored")
    print(f"{version} is {account}'s contract, applied {iso(found.applied_at)} by {found.applied_by}")
    return 0


def run_list(args: argparse.Namespace) -> int:
    """0 with the versions on stdout."""
    with opened_store(args) as client:
        accounts = [args.account] if args.account else contract_accounts(client)
        if len(accounts) != 1:
            reason = f"is not given, and the store holds contracts of {len(accounts)} accounts"
            raise InputError("--account", reason, "Name an account that has one")
        versions = contract_versions(client, accounts[0])
    if args.output == "json":
        records = [
            {
                "contract": one.content_hash,
                "applied_at": iso(one.applied_at),
                "applied_by": one.applied_by,
                "current": one.is_current,
            }
            for one in versions
        ]
        sys.stdout.buffer.write(orjson.dumps(records, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return 0
    table = Table("Contract", "Applied", "By", "")
    for one in versions:
        table.add_row(
            one.content_hash, minute(one.applied_at), shown(one.applied_by), "in force" if one.is_current else ""
        )
    console().print(table)
    return 0


def _found(versions: list[ContractVersion], content_hash: str) -> ContractVersion | None:
    return next((one for one in versions if one.content_hash == content_hash), None)
