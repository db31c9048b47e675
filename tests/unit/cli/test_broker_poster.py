"""Posting to a broker: where it is unknown what became of an order, the reason and what to check are said."""

from __future__ import annotations

import socket

import pytest

from pipeline.application.orders.poster import NotPosted
from pipeline.cli import broker_poster
from pipeline.cli.broker_poster import BrokerPoster
from pipeline.kafka.posting import NotShown
from pipeline.model.orders import Command, Void
from pipeline.store.client import Client
from tests.support.store.ordering_account import OrderingAccount


def void_of(account: OrderingAccount) -> Command:
    return Command("v", account.account, "jana", account.now(), Void("clock was wrong", session="s"))


def test_a_broker_that_does_not_answer_is_named(store: Client) -> None:
    account = OrderingAccount(store)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        bootstrap = f"127.0.0.1:{closed.getsockname()[1]}"
        poster = BrokerPoster(store, {"SEATBEAT_KAFKA_BOOTSTRAP": bootstrap})
        with pytest.raises(NotPosted, match=f"the broker at {bootstrap} failed"):
            poster.post_command(account.view(), void_of(account))


def test_an_order_that_the_store_does_not_show_in_time_is_in_the_log_and_a_sink_is_missing(
    store: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def post(*_args: object) -> None:
        raise NotShown("commands/3/7")

    monkeypatch.setattr(broker_poster, "post", post)
    account = OrderingAccount(store)
    with pytest.raises(NotPosted, match=r"in the log at commands/3/7, .* check that a worker has the role sink"):
        BrokerPoster(store, {}).post_command(account.view(), void_of(account))
