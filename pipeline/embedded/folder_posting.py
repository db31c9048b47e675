"""A command or a contract into a folder's store.

A folder has no broker that outlives a command. So a message goes to the sink's step directly, as the only message of a
log of its own, and is stored before the command answers. Nor has it a tokens agent: orders of tokens are carried out
here. No other process has the folder open meanwhile.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from pipeline.agents.consuming import Message
from pipeline.agents.sink import SinkStep
from pipeline.application.account_view import AccountView
from pipeline.application.orders.poster import NotPosted
from pipeline.application.tokens.token_settlement import settle_stored
from pipeline.kafka.posting import command_message, contract_message
from pipeline.kafka.producer import Outgoing
from pipeline.model.contracts import Contract
from pipeline.model.orders import Command, Logged
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pool.reading import ContractReading
from pipeline.store.client import Client, StoreError
from pipeline.store.contract_versions import store_policies

LOG_PREFIX: Final = "posted:"
"""The log of a posting is named with it."""


class FolderPoster:
    """Posts into the store that a client has open (``application.orders.poster.Poster``)."""

    def __init__(self, client: Client, now: Callable[[], int]) -> None:
        self._client = client
        self._now = now

    def post_command(self, view: AccountView, command: Command) -> AccountView:
        """The account with the command in its log; nothing that the view has read is read again."""
        received_at = self._write(command_message(command))
        return view.continued(command=Logged(command, received_at))

    def post_contract(self, contract: Contract, body: bytes, applied_by: str, _is_shown: Callable[[], bool]) -> None:
        """Store a contract, which the store shows at once."""
        self._write(contract_message(contract, body, applied_by))

    def settle(self, view: AccountView) -> AccountView:
        """The account after its orders of tokens are carried out in its ledger.

        What is settled stays for good, so it is settled under the stored contract, whichever contract judged the order.
        """
        stored = view.stored_contract()
        under = view if stored is None else view.under(ContractReading(stored, metering_catalogue()))
        with _not_posted():
            return view.continued(postings=settle_stored(under, now=self._now()))

    def _write(self, message: Outgoing) -> int:
        """Store a message; when it was received."""
        step, received_at = SinkStep(f"{LOG_PREFIX}{secrets.token_hex(8)}"), self._now()
        step.take(Message(message.topic, 0, 0, message.key, message.value, message.headers, received_at))
        with _not_posted():
            store_policies(self._client, metering_catalogue())
            step.drain().write(self._client)
        return received_at


@contextmanager
def _not_posted() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise NotPosted(f"the store failed: {error}") from error
