"""Contracts in short notation, and their mistakes and warnings as text."""

from __future__ import annotations

from textwrap import dedent
from typing import Final

from pipeline.codec.contract.examination import examine_contract, read_contract
from pipeline.codec.schema_folder import schema_folder
from pipeline.model.contracts import Contract

SAMPLES: Final = schema_folder() / "contracts"
INVALID: Final = schema_folder() / "examples" / "contract" / "invalid"
HEAD: Final = "account: acme\ncountry: CZ\ncurrency: EUR\n"
POOL: Final = "product: MSTN, model: pooled, quantity: 10, from: 2022-01-01"


def read(body: str, head: str = HEAD) -> Contract:
    """The contract in a body under a head."""
    return read_contract("acme.yaml", (head + dedent(body)).encode())


def mistakes(body: str, head: str = HEAD, *, strict: bool = False) -> list[str]:
    """Each mistake as ``line path: reason``."""
    examined = examine_contract((head + dedent(body)).encode(), strict=strict).mistakes
    return [f"{each.line} {each.path}: {each.reason}" for each in examined]


def warnings(body: str) -> list[str]:
    """Each warning as ``line path: reason``."""
    return [f"{each.line} {each.path}: {each.reason}" for each in examine_contract((HEAD + body).encode()).warnings]


def entitled(*rows: str, products: str = "MSTN: {}, ORD: {}, ACD: {}", policies: str = "{}") -> str:
    """A body with an entitlement per line, the first on line 7."""
    return f"policies: {policies}\nproducts: {{{products}}}\nentitlements:\n" + "".join(f"  - {{{r}}}\n" for r in rows)
