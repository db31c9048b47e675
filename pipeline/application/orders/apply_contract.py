"""A contract is made its account's, as a new version: facts are read again under it, none is written again."""

from __future__ import annotations

from pipeline.application.orders.poster import Poster
from pipeline.model.contracts import Contract
from pipeline.store.client import Client
from pipeline.store.contract_versions import ContractVersion, contract_versions


def stored_version(client: Client, contract: Contract) -> ContractVersion | None:
    """The stored version of a contract's content, ``None`` where it was never applied."""
    versions = contract_versions(client, contract.account)
    return next((version for version in versions if version.content_hash == contract.content_hash), None)


def apply_contract(
    client: Client, contract: Contract, body: bytes, *, by: str, before: ContractVersion | None, poster: Poster
) -> ContractVersion:
    """Apply a contract, and return its version as stored; ``before`` is its version until then. Raises ``NotPosted``.

    A version that was applied before is in force again.
    """
    applied_after = -1 if before is None else before.applied_at

    def is_shown() -> bool:
        version = stored_version(client, contract)
        return version is not None and version.applied_at > applied_after

    poster.post_contract(contract, body, by, is_shown)
    applied = stored_version(client, contract)
    if applied is None:
        raise AssertionError("a contract that the store has shown is stored")
    return applied
