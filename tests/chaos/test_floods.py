"""A flood of poison messages of an account is quarantined and does not affect other accounts (R6)."""

from __future__ import annotations

import pytest

from pipeline.codec.topics.message_keys import encode_key
from pipeline.kafka.topics import HEARTBEATS
from tests.chaos.inputs import Sent
from tests.chaos.world import World

pytestmark = pytest.mark.chaos


def test_a_flood_of_poison_of_an_account_is_quarantined(world: World) -> None:
    poison = [
        Sent(HEARTBEATS, encode_key("studio", str(user)), b'{"v":1,"account":"studio","user":%d}' % user)
        for user in range(600)
    ]
    meter = world.keep("meter", quarantine_letters=100)
    world.keep("sink")
    mixed = poison + world.evidence.take(300)
    world.chance.shuffle(mixed)
    world.send(mixed)
    world.until_drained()
    assert meter.said("studio floods with dead letters") > 0
    assert world.lag("quarantine") > 0
    assert "letters" in world.difference()
    world.keep("quarantine")
    world.until_drained("quarantine")
    world.check()
