"""Tokens under faults: the same entries with the same ids, nothing twice, lost or below zero (R5).

After every story the raw log of the ledger, the store's view of it, the rules over the raw log of evidence and orders,
and a second model must say the same (``token_story``).
"""

from __future__ import annotations

import signal
from collections import Counter
from typing import Final

import pytest

from pipeline.kafka.topics import TOKEN_LEDGER, topic
from tests.chaos.steps import AT_HOME_S, PARTS, STEPS, Order
from tests.chaos.token_mutations import TOKEN_MUTATIONS
from tests.chaos.token_story import TokenStory
from tests.chaos.world import World

pytestmark = pytest.mark.chaos

KILLED: Final = -signal.SIGKILL
_DAYS_MAX: Final = 60
_OFTEN_PASSED: Final = {"taken": 8, "acked some": 6}


def begun(world: World) -> TokenStory:
    """Meter and sink are running and have the contracts."""
    story = TokenStory(world)
    for role in ("meter", "sink"):
        world.keep(role)
    story.until_stored()
    return story


def check(world: World, story: TokenStory) -> None:
    """Everything is processed, late evidence too, and all models agree."""
    story.live_late()
    world.until_drained("tokens")
    story.until_stored()
    assert story.difference() == "", world.report()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.usefixtures("part")
def test_a_worker_killed_at_any_step_of_a_posting_posts_the_same_entries(world: World) -> None:
    story = begun(world)
    orders = [
        Order(step, world.chance.randint(1, _OFTEN_PASSED.get(step, 2)), "kill")
        for step in STEPS["tokens"]
        for _ in range(world.form.kills)
    ]
    world.chance.shuffle(orders)
    tokens = world.keep("tokens", orders=iter(orders), instance_id="tokens", session_timeout_s=AT_HOME_S)
    for _ in range(_DAYS_MAX * len(orders)):
        if tokens.until_ended(len(orders), 1.0):
            break
        story.live()
    check(world, story)
    world.stop()
    assert tokens.hits() == Counter(dict.fromkeys(STEPS["tokens"], world.form.kills))
    assert tokens.statuses == [*[KILLED] * len(orders), 0], tokens.report()


@pytest.mark.parametrize(
    "step",
    [
        "drafted",
        *(
            pytest.param(step, marks=pytest.mark.chaos_long(reason="a zombie at every other step"))
            for step in STEPS["tokens"]
            if step != "drafted"
        ),
    ],
)
def test_zombies_and_changes_of_workers_do_not_change_the_ledger(world: World, step: str) -> None:
    story = begun(world)
    zombie = world.keep("tokens", orders=iter([Order(step, 3, "stop")]))
    for _ in range(_DAYS_MAX):  # days that come close together are settled in one checkpoint
        if zombie.hits():
            break
        story.live()
    world.until(lambda: zombie.hits().total() == 1)
    successor = world.keep("tokens")
    story.live(2)
    world.until_drained("tokens")
    zombie.send(signal.SIGCONT)
    if step == "drafted":
        world.until(lambda: zombie.said("a posting is void") > 0)
        assert story.void() > 0
    world.until(lambda: world.members("tokens") == 2)
    story.live(2)
    successor.end()
    world.until(lambda: world.members("tokens") == 1)
    story.live(2)
    check(world, story)
    world.stop()


def test_replaying_usage_and_orders_posts_nothing(world: World) -> None:
    story = begun(world)
    tokens = world.keep("tokens")
    story.live(4)
    world.until_drained("tokens")
    tokens.end()
    posted = len(story.postings())
    world.reset("tokens")
    world.keep("tokens")
    world.until_drained("tokens")
    assert len(story.postings()) == posted > 0
    check(world, story)
    world.stop()


def ledger_refuses_messages(world: World, story: TokenStory, mutation: str) -> None:
    """The topic refuses messages for a while; no later tick repairs a loss."""
    config = dict(topic(TOKEN_LEDGER, world.form.stage).config)
    world.kafka.configure(TOKEN_LEDGER, {**config, "max.message.bytes": "100"})
    story.live(2)
    tokens = world.keep("tokens", mutation=mutation)
    world.until(lambda: 1 in tokens.statuses)
    if mutation:
        world.until_drained("tokens")
    world.kafka.configure(TOKEN_LEDGER, config)


def a_zombie_posts(world: World, story: TokenStory, mutation: str) -> None:
    """The postings of a zombie are void."""
    zombie = world.keep("tokens", orders=iter([Order("drafted", 3, "stop")]), mutation=mutation)
    story.live(3)
    world.until(lambda: zombie.hits().total() == 1)
    world.keep("tokens", mutation=mutation)
    world.until_drained("tokens")
    before = len(story.postings())
    zombie.send(signal.SIGCONT)
    world.until(lambda: len(story.postings()) > before)
    story.live(1)


STORIES: Final = {"ack before it stands": ledger_refuses_messages, "sequence numbers ignored": a_zombie_posts}


def test_every_mutation_of_tokens_has_a_story() -> None:
    assert set(STORIES) == set(TOKEN_MUTATIONS)


@pytest.mark.parametrize("mutation", STORIES)
def test_the_comparison_fails_with_a_removed_defence(world: World, mutation: str) -> None:
    story = begun(world)
    STORIES[mutation](world, story, mutation)
    world.until_drained("tokens")
    world.stop()
    for role in ("meter", "sink", "tokens"):
        world.keep(role)
    world.until_drained("tokens")
    story.until_stored()
    assert story.difference() != "", "the mutation was not detected"


def test_the_comparison_passes_with_every_defence_while_the_ledger_refuses_messages(world: World) -> None:
    story = begun(world)
    ledger_refuses_messages(world, story, "")
    world.until_drained("tokens")
    story.until_stored()
    assert story.difference() == ""
