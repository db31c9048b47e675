"""Posting to the broker that the environment names, whose workers store what was posted and carry it out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from aiokafka.errors import KafkaError

from pipeline.application.account_view import AccountView
from pipeline.application.orders.poster import NotPosted
from pipeline.kafka.posting import NotShown, command_message, contract_message, post
from pipeline.kafka.producer import Outgoing
from pipeline.kafka.settings import Settings
from pipeline.kafka.topics import COMMANDS
from pipeline.model.contracts import Contract
from pipeline.model.orders import Command
from pipeline.store.client import Client
from pipeline.store.order_log import is_stored

SHOWN_S_MAX: Final = 60.0
"""Six times as long as the sink gathers by default before it writes."""


class BrokerPoster:
    """Posts to a broker and waits until a store shows the message (``application.orders.poster.Poster``)."""

    def __init__(self, client: Client, environment: Mapping[str, str]) -> None:
        self._client = client
        self._environment = environment

    def post_command(self, view: AccountView, command: Command) -> AccountView:
        """The account as the store has it once it shows the command; others may have posted meanwhile."""

        def is_shown(partition: int, offset: int) -> bool:
            return is_stored(self._client, command.account, COMMANDS, partition, offset)

        self._post(command_message(command), is_shown)
        return view.refreshed()

    def post_contract(self, contract: Contract, body: bytes, applied_by: str, is_shown: Callable[[], bool]) -> None:
        """Write a contract to its topic, and wait until it is shown."""
        self._post(contract_message(contract, body, applied_by), lambda _partition, _offset: is_shown())

    def settle(self, view: AccountView) -> AccountView:
        """The account as it is: the tokens agent carries its orders of tokens out."""
        return view

    def _post(self, message: Outgoing, is_shown: Callable[[int, int], bool]) -> None:
        bootstrap = Settings.from_environment(self._environment).kafka_bootstrap

        async def shown(partition: int, offset: int) -> bool:
            return await asyncio.to_thread(is_shown, partition, offset)

        try:
            asyncio.run(post(bootstrap, message, shown, SHOWN_S_MAX))
        except KafkaError as error:
            raise NotPosted(f"the broker at {bootstrap} failed: {error!r}") from error
        except NotShown as error:
            raise NotPosted(
                f"it stands in the log at {error}, but the store has not shown it for {SHOWN_S_MAX:.0f} s; check that "
                "a worker has the role sink"
            ) from error
