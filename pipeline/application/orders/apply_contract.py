"""A contract is made its account's, as a new version: facts are read again under it, none is written again."""

from __future__ import annotations

from pipeline.application.account_view import AccountView
from pipeline.application.orders.poster import Poster
from pipeline.application.quarter.statement_life import check_closed_quarters
from pipeline.model.contracts import Contract
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.contract_versions import ContractVersion, contract_versions


def stored_version(client: Client, contract: Contract) -> ContractVersion | None:
    """The stored version of a contract's content, ``None`` where it was never applied."""
    versions = contract_versions(client, contract.account)
    return next((version for version in versions if version.content_hash == contract.content_hash), None)


def apply_contract(
    client: Client, contract: Contract, body: bytes, *, by: str, before: ContractVersion | None, poster: Poster
) -> ContractVersion:
    """Apply a contract, and return its version as stored; ``before`` is its version until then.

    A version that was applied before is in force again. Raises ``NotPosted``, and ``InputError`` where closed quarters
    cannot be read under it.
    """
    check_closed_quarters(AccountView.of(client, ContractReading(contract, metering_catalogue())))
    applied_after = -1 if before is None else before.applied_at

    def is_shown() -> bool:
        version = stored_version(client, contract)
        return version is not None and version.applied_at > applied_after

    poster.post_contract(contract, body, by, is_shown)
    applied = stored_version(client, contract)
    if applied is None:
        raise AssertionError("a contract that the store has shown is stored")
    return applied
