"""``seatbeat check``: its output and its exit status (INTERFACES, Command line)."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli.commands import check
from pipeline.codec.schema_folder import schema_folder

SAMPLES = schema_folder() / "contracts"
UNPRICED = (
    "account: acme\ncountry: CZ\ncurrency: EUR\nproducts:\n  MSTN: {}\n"
    "entitlements:\n  - {product: MSTN, model: pooled, quantity: 1, from: 2022-01-01}\n"
)


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    check.add_parser(parser.add_subparsers())
    args = parser.parse_args(["check", *arguments])
    run_declared: Callable[[argparse.Namespace], int] = args.run
    return run_declared(args)


def test_a_valid_contract_ends_with_status_0_and_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    path = SAMPLES / "engineering.yaml"
    assert run(str(path)) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.splitlines()[:5] == [
        f"{path} is valid.",
        "account       acme (CZ, EUR)",
        "products      ACD, MAYA, MSTN, ORD, PLUG, STAAD",
        "entitlements  3 flex, 1 named, 4 pooled, 1 practitioner, 1 single_user",
        "policies      autodesk-flex, bentley-select, relaxed",
    ]
    assert printed.out.splitlines()[5].startswith("content       sha256:")


def test_all_mistakes_are_printed_on_stderr_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    path = schema_folder() / "examples" / "contract" / "invalid" / "many.yaml"
    assert run(str(path)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert len(lines) > 20
    assert all(line.startswith(f"{path}:") for line in lines)
    assert f'{path}:2: account: 4711 is a number, not a text. Put it in quotes: "4711".' in lines


def test_a_missing_price_is_a_warning_and_with_strict_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(UNPRICED, encoding="utf-8")
    assert run(str(path)) == 0
    printed = capsys.readouterr()
    assert f"warning: {path}:5: products.MSTN: can be over-used but has no price" in printed.out
    assert run(str(path), "--strict") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"{path}:5: products.MSTN: can be over-used but has no price")


def test_a_missing_file_ends_with_status_2_and_a_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(tmp_path / "nowhere.yaml")) == 2
    printed = capsys.readouterr()
    assert "nowhere.yaml: cannot be read: No such file or directory. Give the path of a contract" in printed.err


def test_a_folder_is_not_a_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(tmp_path)) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_refused_entries_of_lists_are_warnings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(
        UNPRICED.replace("MSTN: {}", 'MSTN: {term_license_price: "1.00"}').replace("pooled", "practitioner")
        + "assignments:\n  - {product: MSTN, user: petr, at: 2022-05-02}\n"
        "  - {product: MSTN, user: jana, at: 2022-05-01}\n"
        "checkouts:\n  - {product: MSTN, user: jana, machine: PC1, from: 2021-05-01, until: 2021-05-02}\n"
    )
    assert run(str(path)) == 0
    printed = capsys.readouterr()
    assignment, checkout = (line for line in printed.out.splitlines() if line.startswith("warning"))
    assert assignment.startswith(
        f"warning: {path}:9: assignments[0]: is refused and changes nothing: no seat of MSTN in CZ"
    )
    assert "is free; one is, or may be taken over, from 2022-05-31T00:00:00Z on. Correct it" in assignment
    assert checkout.startswith(
        f"warning: {path}:12: checkouts[0]: is refused and changes nothing: no seat of MSTN in CZ"
    )
