"""Bytes to contracts (INTERFACES, Contract): refused with every mistake in them, each with line, path and remedy."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pipeline.codec.contract.contract_warnings import warn, warn_currency, warn_large_packs, warn_refused
from pipeline.codec.contract.entitlements import read_entitlements
from pipeline.codec.contract.entries import ContractEntry, Notes
from pipeline.codec.contract.policies import DEFAULT_POLICY, read_default_policy, read_policies
from pipeline.codec.contract.products import read_products
from pipeline.codec.contract.schema_mistakes import findings
from pipeline.codec.contract.seat_lists import SeatLists, read_assignments, read_checkouts, read_token_packs
from pipeline.codec.contract.yaml_document import CONTRACT_BYTES_MAX, read_yaml
from pipeline.model.contracts import DEFAULT_LATENESS_DAYS, Contract
from pipeline.model.errors import ContractInvalid, InputError, Mistake


@dataclass(frozen=True, slots=True)
class Examined:
    """A contract and the warnings about it, or all the mistakes in it; both in order of line.

    ``contract`` is ``None`` exactly where there are mistakes.
    """

    contract: Contract | None
    mistakes: tuple[Mistake, ...]
    warnings: tuple[Mistake, ...]


def read_contract(source: str, content: bytes, *, strict: bool = False) -> Contract:
    """The contract in a file's bytes; its mistakes are reported under the name ``source``.

    ``strict`` also refuses products that can be over-used but have no price. Raises ``ContractInvalid``.
    """
    examined = examine_contract(content, strict=strict)
    if examined.contract is None:
        raise ContractInvalid(source, examined.mistakes)
    return examined.contract


def load_contract(path: Path, *, strict: bool = False) -> Contract:
    """The contract in a file. Raises ``InputError`` where it cannot be read and ``ContractInvalid``."""
    return read_contract(str(path), read_contract_file(path), strict=strict)


def read_contract_file(path: Path) -> bytes:
    """A contract file's bytes, at most a byte more than a contract may have. Raises ``InputError``."""
    try:
        with path.open("rb") as file:
            return file.read(CONTRACT_BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(str(path), f"cannot be read: {reason}", "Give the path of a contract, a YAML file.") from error


def examine_contract(content: bytes, *, strict: bool = False) -> Examined:
    """A file's bytes as a contract: the contract, or its mistakes, and its warnings."""
    document, mistakes = read_yaml(content)
    if document is None:
        return Examined(None, tuple(mistakes), ())
    notes = Notes(document, mistakes)
    for place in document.unreadable:
        notes.withhold(place)
    for place, reason, remedy in findings(document):
        if notes.is_usable(place):
            notes.unusable(place, reason, remedy)
    if not isinstance(document.data, dict):
        return Examined(None, _in_order(notes.mistakes), ())
    content_hash = f"sha256:{sha256(content).hexdigest()}"
    contract = _contract(ContractEntry(notes, (), document.data), content_hash, strict)
    if not notes.mistakes:
        warn_refused(notes, contract)
    return Examined(None if notes.mistakes else contract, _in_order(notes.mistakes), _in_order(notes.warnings))


def _contract(root: ContractEntry, content_hash: str, strict: bool) -> Contract:
    """What can be read of a contract. It is complete only where no mistake was noted."""
    country, currency = root.text("country"), root.text("currency")
    policies = read_policies(root)
    default_policy = read_default_policy(root, policies)
    products = read_products(root, currency)
    read = read_entitlements(root, country, default_policy, policies, products)
    entitlements = tuple(entitlement for _, entitlement in read)
    written = root.values.get("entitlements", [])
    is_complete = isinstance(written, list) and len(entitlements) == len(written)
    seats = SeatLists.of(country or "", products.by_code, entitlements, is_complete)
    contract = Contract(
        account=root.text("account") or "",
        country=country or "",
        currency=currency or "",
        content_hash=content_hash,
        lateness_days=root.whole("lateness_days") or DEFAULT_LATENESS_DAYS,
        default_policy=default_policy or DEFAULT_POLICY,
        policies=policies.custom,
        products=products.by_code,
        entitlements=entitlements,
        token_packs=tuple(read_token_packs(root, currency)),
        assignments=tuple(read_assignments(root, seats)),
        checkouts=tuple(read_checkouts(root, seats)),
    )
    warn(read, products, policies, default_policy, strict)
    warn_currency(root)
    warn_large_packs(root, contract.token_packs)
    return contract


def _in_order(mistakes: list[Mistake]) -> tuple[Mistake, ...]:
    return tuple(sorted(set(mistakes), key=lambda each: (each.line, each.path, each.reason)))
