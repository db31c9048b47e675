"""Which account is meant where none, or one without a contract, is named."""

from __future__ import annotations

from typing import Final

from pipeline.model.errors import InputError
from pipeline.store.client import Client
from pipeline.store.contract_versions import contract_accounts

NAMES_SHOWN_MAX: Final = 5


def no_contract(client: Client, account: str = "") -> InputError:
    """What to say where the account that is named has no stored contract, or none is named and the store has not one.

    ``account`` is ``''`` where none is named.
    """
    accounts = contract_accounts(client)
    names = ", ".join(accounts[:NAMES_SHOWN_MAX]) + (", …" if accounts[NAMES_SHOWN_MAX:] else "")
    if not accounts:
        whose = f" of {account}" if account else ""
        return InputError("--contract", f"is not given, and the store holds no contract{whose}", "Name a contract")
    if account:
        return InputError("--account", f"the store holds no contract of {account}", f"It holds those of {names}")
    reason = f"is not given, and the store holds contracts of {len(accounts)} accounts"
    return InputError("--account", reason, f"Name one of {names}")
