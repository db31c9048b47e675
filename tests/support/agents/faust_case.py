"""A case on the Faust consumer with access to Faust's own parts, and a store whose inserts fail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import faust
import pyarrow as pa
from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.agents.consuming import Consumer
from pipeline.agents.faust.consumer import FaustConsumer
from pipeline.store.client import Parameter, QueryResult
from tests.support.agents.consumer_case import Case


@dataclass
class FaustCase(Case):
    """A case that records every acknowledgement, and has access to Faust's app."""

    acknowledged: list[tuple[int, int]] = field(default_factory=list)

    def watch(self, consumer: Consumer) -> None:
        super().watch(consumer)
        faust_consumer = self.app.consumer
        acknowledge = faust_consumer.ack

        def remember(message: Any) -> bool:
            self.acknowledged.append((message.partition, message.offset))
            return bool(acknowledge(message))

        faust_consumer.ack = remember  # type: ignore[method-assign]  # to see, not to change

    @property
    def app(self) -> faust.App:
        assert isinstance(self.consumer, FaustConsumer)
        return self.consumer.app

    async def pass_over(self, offset: int, *texts: str) -> None:
        """Send messages and let Faust's consumer continue from an offset, as after a failed seek in a rebalance."""
        consumer: AIOKafkaConsumer = vars(vars(self.app.consumer)["_thread"])["_consumer"]
        place = TopicPartition(self.name, 0)
        consumer.pause(place)
        await self.send(*texts)
        consumer.seek(place, offset)
        consumer.resume(place)


class FailingClient:
    """A store whose first inserts fail. It records the rows of every try."""

    def __init__(self, errors: Iterable[Exception]) -> None:
        self._errors = list(errors)
        self.tries: list[list[dict[str, object]]] = []
        self.done = False

    def insert_arrow(self, table: str, arrow_table: pa.Table) -> object:
        self.tries.append(arrow_table.to_pylist())
        if self._errors:
            raise self._errors.pop(0)
        self.done = True
        return table

    def command(self, cmd: str, parameters: Mapping[str, Parameter] | None = None) -> object:
        raise NotImplementedError

    def query(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> QueryResult:
        raise NotImplementedError

    def query_arrow(self, query: str, parameters: Mapping[str, Parameter] | None = None) -> pa.Table:
        raise NotImplementedError

    def close(self) -> None:
        return None
