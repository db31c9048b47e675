"""Faust's Kafka transport with a fetch wait of our choosing, and a consumer that stops while the broker is away.

Faust fixes how long a broker may hold a fetch back for want of data at 1.5 s. Apache Kafka answers as soon as data
arrives; the embedded broker does not, and every hop then waits that long.

aiokafka tries a commit again and again until the broker is back, and a fetch that waits for its next try makes it
take its own close for cancelled. Either way the consumer's thread never tells Faust that it has stopped.

Faust makes four tasks of every message that it puts into a buffer, a third of what a single heartbeat costs.

Faust bounds what waits for an agent by the number of messages only. While a store is away, frames of half a megabyte
would take gigabytes.

The consumer's thread ends by itself when anything in it crashes. Faust then waits forever for answers of that thread:
`app.stop()` hangs in its last commit. And a crash that the thread could not pass on is lost. So the thread itself
notices its end: pending calls get an error, and an end without a stop is a failure.

Faust takes over at once all that the client has fetched, and the client, asked for less, empties one partition after
the other. A role that has much to catch up with would hold it all, or leave a partition unread for minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, Final, cast

import aiokafka
from aiokafka.errors import ConsumerStoppedError
from faust.transport.consumer import RecordMap
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP, AppT
from mode.services import Service, WaitArgT, WaitResults
from mode.threads import WorkerThread
from mode.utils.times import Seconds

from pipeline.agents.consuming import Fail

LAST_COMMIT_S_MAX: Final = 1.0
"""How long a commit may go on once the app is told to stop. What it does not commit is done again, harmlessly."""

COMMIT_LOOK_S: Final = 0.1

THREAD_STOP_S_MAX: Final = 5.0
"""Faust blocks its event loop until the consumer's thread is gone: for this long at most, then the thread is left."""

WAITING_BYTES: Final = 16 * 1024 * 1024
"""Nothing is fetched for a role while more than this waits for its agent."""
MESSAGE_BYTES: Final = 3 * 1024
"""Added for each message to the size of its value: an upper estimate, so that small messages are bounded, too."""
FULL_S: Final = 0.05

TURN_BYTES: Final = 2 * 1024 * 1024
"""About what is taken over from the client at once."""
TURN_MESSAGES_MAX: Final = 32
"""Few enough that a round of sixty partitions is about a checkpoint of the sink."""


class ConsumerThreadEnded(RuntimeError):
    """The thread that reads from the broker has ended, although the app was not stopped."""


def paced_transport(  # noqa: C901 -- three classes, each of one idea
    fetch_wait_ms: int, fail: Fail, reads: Callable[[int], bool]
) -> type[Transport]:
    """Faust's own transport, but for how long a fetch is held back, what is taken over at once, and how it stops.

    ``reads`` tells by their numbers of which partitions messages are taken over; what is fetched of others is left
    packed in the client.

    ``fail`` is called when the consumer's thread ends although the app was not stopped: in that thread, and before it
    in the app's own where a call meets the end first, so perhaps twice.
    """

    class PacedThread(AIOKafkaConsumerThread):
        Worker = _BoundedStopThread
        _turn_messages = TURN_MESSAGES_MAX

        def __post_init__(self) -> None:
            super().__post_init__()
            self._unanswered = set[asyncio.Future[Any]]()

        def _start_thread(self) -> None:
            """The thread's main function: Faust's own, and what must follow its end, however it ends."""
            try:
                super()._start_thread()
            finally:
                self._report_end()
                with suppress(RuntimeError):  # the app's event loop is closed: nothing waits any more
                    self.parent_loop.call_soon_threadsafe(self._thread_ended)

        def _report_end(self) -> None:
            """Before any caller's own error, which would be taken for the cause."""
            # Not `should_stop`, which is true after a crash, too.
            if not cast(Service, self.app)._stopped.is_set():  # noqa: SLF001
                fail(self.crash_reason or ConsumerThreadEnded("the consumer's thread ended by itself"))

        def _thread_ended(self) -> None:
            self._shutdown.set()
            for promise in self._unanswered:
                if not promise.done():
                    promise.set_exception(ConsumerStoppedError())

        async def call_thread(self, fun: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
            """Raises ``ConsumerStoppedError`` where the thread ends, or has ended, without an answer."""
            promise: asyncio.Future[Any] = self.parent_loop.create_future()
            self._unanswered.add(promise)
            try:
                await self.method_queue.call(promise, fun, *args, **kwargs)
            except RuntimeError as error:  # the thread's event loop is closed
                self._unanswered.discard(promise)
                self._report_end()
                raise ConsumerStoppedError from error
            try:
                return await promise
            except asyncio.CancelledError:
                if promise.cancelled() or not isinstance(promise.exception(), asyncio.CancelledError):
                    raise  # this task was cancelled
                self._report_end()
                raise ConsumerStoppedError from None  # the call was cancelled in the thread, which stops
            finally:
                self._unanswered.discard(promise)

        async def commit(self, offsets: Mapping[TP, int]) -> bool:
            """Faust commits once more when it stops, and an error there would keep it from stopping the rest."""
            try:
                return await super().commit(offsets)
            except ConsumerStoppedError:
                return False

        def _stopped_set(self) -> None:
            with suppress(RuntimeError):  # its loop is closed: it has stopped by itself
                super()._stopped_set()

        def _create_worker_consumer(self, transport: Transport) -> aiokafka.AIOKafkaConsumer:
            consumer = super()._create_worker_consumer(transport)
            # Read once, when the consumer starts; the pinned Faust offers no setting for it.
            consumer._fetch_max_wait_ms = fetch_wait_ms  # noqa: SLF001
            return consumer

        async def _fetch_records(
            self,
            consumer: aiokafka.AIOKafkaConsumer,
            active_partitions: set[TP],
            timeout: float | None = None,  # noqa: ASYNC109 -- as in Faust
            max_records: int | None = None,  # noqa: ARG002 -- as in Faust
        ) -> RecordMap:
            """A turn's messages: partitions that waited longest first, and as many as the last turn's sizes allow."""
            read = {place for place in active_partitions if reads(place.partition)}
            if active_partitions and not read:  # the client takes an empty set for all
                await asyncio.sleep(FULL_S)
                return {}
            turn = await super()._fetch_records(consumer, read, timeout, self._turn_messages)
            if turn:
                fetched = consumer._fetcher._records  # noqa: SLF001 -- by partition, in the order of turns
                for place in fetched.keys() & turn.keys():
                    fetched.move_to_end(place)
                sizes = [message_bytes(record.value) for records in turn.values() for record in records]
                self._turn_messages = max(1, min(TURN_MESSAGES_MAX, TURN_BYTES * len(sizes) // sum(sizes)))
            return turn

        def verify_event_path(self, now: float, tp: TP) -> None:
            """Faust asks its monitor, which is empty here, and would report each partition as standing still."""

        async def _commit(self, offsets: Mapping[TP, int]) -> bool:
            commit = asyncio.ensure_future(super()._commit(offsets))
            while not commit.done():
                last = self.app.should_stop
                await asyncio.wait({commit}, timeout=LAST_COMMIT_S_MAX if last else COMMIT_LOOK_S)
                if last and not commit.done():
                    commit.cancel()
                    return False
            return commit.result()

        async def on_thread_stop(self) -> None:
            try:
                await super().on_thread_stop()
            except asyncio.CancelledError:
                if self._consumer is not None:
                    await self._consumer._client.close()  # noqa: SLF001

    class PacedConsumer(Consumer):
        async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 -- as in Faust
            while self._is_full():  # noqa: ASYNC110 -- Faust tells nobody that an agent has taken something
                await asyncio.sleep(FULL_S)
            return await super()._wait_next_records(timeout)

        def _is_full(self) -> bool:
            return self.flow_active and not self.should_stop and waiting_bytes(self.app) > WAITING_BYTES

        async def wait_first(self, *coros: WaitArgT, timeout: Seconds | None = None) -> WaitResults:  # noqa: ASYNC109 -- as in Faust
            """Faust waits with four tasks per message for room in the stream's buffer. Mostly there is room at once."""
            first, *others = coros
            if timeout is not None or not isinstance(first, Coroutine):
                return await super().wait_first(*coros, timeout=cast(Seconds, timeout))
            try:
                waits_for = first.send(None)
            except StopIteration as done:
                for other in others:
                    if isinstance(other, Coroutine):
                        other.close()
                return WaitResults([first], [done.value], stopped=False)
            return await super().wait_first(_GoesOn(first, waits_for), *others)

        def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
            return PacedThread(self, loop=self.loop, beacon=self.beacon)

    class PacedTransport(Transport):
        Consumer: ClassVar[type[Consumer]] = PacedConsumer

    return PacedTransport


def waiting_bytes(app: AppT) -> int:
    """The memory of all messages that were fetched and not taken by an agent yet."""
    queues: Iterable[Any] = app.flow_control._queues  # noqa: SLF001 -- Faust has no public way to their lengths
    events = (event for queue in queues for event in queue._queue)  # noqa: SLF001 -- as above
    return sum(message_bytes(event.message.value) for event in events)


def message_bytes(value: bytes | None) -> int:
    """The memory of a message."""
    return MESSAGE_BYTES + len(value or b"")


class _BoundedStopThread(WorkerThread):
    def stop(self) -> None:
        if self.is_stopped.wait(THREAD_STOP_S_MAX):
            self.join(THREAD_STOP_S_MAX)


class _GoesOn:
    """The rest of a coroutine that has begun, and waits for something."""

    def __init__(self, begun: Coroutine[Any, Any, object], waits_for: object) -> None:
        self._begun, self._waits_for = begun, waits_for

    def __await__(self) -> Generator[object, Any, object]:
        try:
            yield self._waits_for
        except BaseException as error:  # noqa: BLE001 -- handed on: it is the coroutine's own to answer
            yield self._begun.throw(error)
        return (yield from self._begun.__await__())
