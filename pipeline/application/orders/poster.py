"""How a command or a contract gets into its log; the use cases take a ``Poster`` and know neither folder nor broker.

Posting again after any failure is harmless: a command is identified by its id, a contract by its content.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pipeline.application.account_view import AccountView
from pipeline.model.contracts import Contract
from pipeline.model.orders import Command


class NotPosted(Exception):
    """Whether a message was posted is unknown: the text says why, and what to check."""


class Poster(Protocol):
    """Writes into the logs and returns once the store shows what was written. Each method raises ``NotPosted``."""

    def post_command(self, view: AccountView, command: Command) -> AccountView:
        """The account with the command in its log, and with whatever others posted meanwhile."""
        ...

    def post_contract(self, contract: Contract, body: bytes, applied_by: str, is_shown: Callable[[], bool]) -> None:
        """Make a contract its account's; ``body`` is the file, byte for byte."""
        ...

    def settle(self, view: AccountView) -> AccountView:
        """The account after its orders of tokens are carried out in its ledger, where no agent does that."""
        ...
