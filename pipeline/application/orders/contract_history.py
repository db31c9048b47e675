"""The versions of an account's contract that were ever applied."""

from __future__ import annotations

from pipeline.application.account_choice import no_contract
from pipeline.store.client import Client
from pipeline.store.contract_versions import ContractVersion, contract_accounts, contract_versions


def account_contract_versions(client: Client, account: str = "") -> list[ContractVersion]:
    """Every version in the order they were applied last; the last one is in force.

    Without an account it is the only one with a contract. Raises ``InputError`` where there is none, or several.
    """
    accounts = [account] if account else contract_accounts(client)
    versions = contract_versions(client, accounts[0]) if len(accounts) == 1 else []
    if not versions:
        raise no_contract(client, account)
    return versions
