"""``seatbeat check``: validate a contract, and list every mistake in it at once (INTERFACES)."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.cli.command_list import COMMANDS
from pipeline.codec.contract.examination import examine_contract, read_contract_file
from pipeline.model.contracts import Contract
from pipeline.model.errors import ContractInvalid, InputError, Mistake


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "check",
        help=COMMANDS["check"],
        description="Checks a contract and tells every mistake in it at once, each with its line and a remedy.",
    )
    parser.add_argument("contract", type=Path, metavar="CONTRACT", help="the contract, a YAML file")
    parser.add_argument("--strict", action="store_true", help="refuse products that can be over-used but have no price")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 for a valid contract, with a summary and its warnings on stdout; 2 with every mistake on stderr."""
    path: Path = args.contract
    try:
        examined = examine_contract(read_contract_file(path), strict=args.strict)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    if examined.contract is None:
        print(ContractInvalid(str(path), examined.mistakes), file=sys.stderr)
        return 2
    print("\n".join(_summary(path, examined.contract)))
    print("".join(f"warning: {path}:{_mistake_text(warning)}\n" for warning in examined.warnings), end="")
    return 0


def _mistake_text(mistake: Mistake) -> str:
    return f"{mistake.line}: {mistake.path}: {mistake.reason}. {mistake.remedy}"


def _summary(path: Path, contract: Contract) -> Iterator[str]:
    yield f"{path} is valid."
    yield f"account       {contract.account} ({contract.country}, {contract.currency})"
    yield f"products      {', '.join(sorted(contract.products)) or 'none listed'}"
    yield f"entitlements  {_count_by_model(given.model for given in contract.entitlements)}"
    yield f"policies      {', '.join(sorted(_policies_used(contract)))}"
    yield f"content       {contract.content_hash}"


def _count_by_model(models: Iterable[str]) -> str:
    return ", ".join(f"{count} {model}" for model, count in sorted(Counter(models).items())) or "none"


def _policies_used(contract: Contract) -> set[str]:
    return {contract.default_policy, *(given.policy for given in contract.entitlements)}
