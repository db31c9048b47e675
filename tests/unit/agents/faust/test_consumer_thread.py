"""The consumer's thread, when it ends by itself: nobody waits for its answers, and the failure is reported."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka.errors import ConsumerStoppedError
from faust.types import TP

from pipeline.agents.faust.app import build_app
from pipeline.agents.faust.transport import ConsumerThreadEnded
from pipeline.kafka.settings import Settings

ANSWER_S_MAX = 10.0
PLACE = TP("heartbeats", 0)


class NoBroker:
    """The client of a broker that refuses every commit, and never has a message."""

    def __init__(self, failures: list[BaseException]) -> None:
        self._failures = failures
        self.failures_before_stop: list[BaseException] = []

    async def start(self) -> None:
        return None

    async def stop(self) -> None:
        self.failures_before_stop = list(self._failures)

    def assignment(self) -> set[TP]:
        return {PLACE}

    async def commit(self, offsets: object) -> None:
        raise RuntimeError(f"refused: {offsets!r}"[:7])


Play = Callable[[Any, list[BaseException]], Awaitable[None]]


def played(play: Play) -> list[BaseException]:
    """The reported failures once a scenario with an app's consumer thread is over."""
    failures: list[BaseException] = []

    async def story() -> None:
        app = build_app(Settings(), "meter", failures.append)
        thread: Any = vars(app.consumer)["_thread"]
        thread._create_consumer = lambda loop: NoBroker(failures)  # noqa: ARG005 -- as in Faust
        await thread.start()
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                await play(thread, failures)
        finally:
            async with asyncio.timeout(ANSWER_S_MAX):
                await app.stop()
                await thread.stop()
            thread._thread.join(ANSWER_S_MAX)
            assert not thread._thread.is_alive()

    asyncio.run(story())
    return failures


async def _ended(thread: Any) -> None:
    await asyncio.to_thread(thread._thread.join, ANSWER_S_MAX)


def test_a_refused_commit_is_reported_at_once_although_the_event_loop_is_busy() -> None:
    async def play(thread: Any, failures: list[BaseException]) -> None:
        committing = asyncio.ensure_future(thread.commit({PLACE: 1}))
        await asyncio.sleep(0)
        thread._thread.join(ANSWER_S_MAX)  # as long as the thread runs, nothing else happens in this loop
        assert failures
        assert thread._consumer.failures_before_stop == failures[:1]
        assert await committing is False

    assert {str(error) for error in played(play)} == {"refused"}


def test_a_call_to_a_thread_that_ends_or_has_ended_raises_instead_of_waiting_forever() -> None:
    async def play(thread: Any, _: list[BaseException]) -> None:
        asked, stopping, go_on = threading.Event(), threading.Event(), threading.Event()

        async def hold() -> None:
            asked.set()
            await asyncio.Event().wait()

        async def stop() -> None:
            stopping.set()
            await asyncio.to_thread(go_on.wait, ANSWER_S_MAX)

        thread._consumer.stop = stop
        being_answered = asyncio.ensure_future(thread.call_thread(hold))
        await asyncio.to_thread(asked.wait, ANSWER_S_MAX)
        thread.thread_loop.call_soon_threadsafe(thread._crashed.set)
        await asyncio.to_thread(stopping.wait, ANSWER_S_MAX)
        never_read = asyncio.ensure_future(thread.call_thread(hold))
        await asyncio.sleep(0)
        go_on.set()
        ends = await asyncio.gather(being_answered, never_read, return_exceptions=True)
        assert [type(end) for end in ends] == [ConsumerStoppedError] * 2
        await _ended(thread)
        with pytest.raises(ConsumerStoppedError):
            await thread.call_thread(hold)
        assert await thread.commit({PLACE: 1}) is False

    played(play)


def test_a_thread_that_ends_without_being_stopped_is_a_failure() -> None:
    async def play(thread: Any, _: list[BaseException]) -> None:
        thread.thread_loop.call_soon_threadsafe(thread._stopped.set)
        await _ended(thread)

    (failure,) = played(play)
    assert isinstance(failure, ConsumerThreadEnded)


def test_a_crash_that_could_not_be_passed_on_is_reported_when_the_thread_ends() -> None:
    async def play(thread: Any, _: list[BaseException]) -> None:
        def crash() -> None:
            thread._crashed.set()
            thread.crash_reason = ValueError("lost")

        thread.thread_loop.call_soon_threadsafe(crash)
        await _ended(thread)

    assert [str(error) for error in played(play)] == ["lost"]


def test_a_thread_that_is_stopped_with_its_app_is_no_failure() -> None:
    async def play(_thread: Any, _: list[BaseException]) -> None:
        return None

    assert played(play) == []
