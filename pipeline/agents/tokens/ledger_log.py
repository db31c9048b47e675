"""The token ledger's log: read to its end before a posting is written, and past the posting afterwards.

1. Read the account's partition to its end: the ledger is what the log says, whichever process wrote it.
2. Write a single posting under the next number, and await it.
3. Read on, past the offset that the broker gave it. The posting stands, or another process was first: then it is void,
   and the caller has to draft again.

So two processes that both believe to be the only writer do no harm: one of them reads that its posting is void.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from aiokafka import ConsumerRecord, TopicPartition

from pipeline.codec.topics.ledger_messages import UnreadablePosting, decode
from pipeline.codec.topics.message_keys import encode_key
from pipeline.kafka.producer import Outgoing, Producer
from pipeline.kafka.ranges import Ranges
from pipeline.kafka.topics import TOKEN_LEDGER
from pipeline.model.ledger_entries import Posting
from pipeline.rules.tokens.ledger import Ledger


class LedgerLog:
    """The ledgers of every account in the partitions read so far. ``heard`` gets each posting that stands."""

    def __init__(self, ranges: Ranges, producer: Producer, heard: Callable[[Posting], None]) -> None:
        self._ranges, self._producer, self._heard = ranges, producer, heard
        self._ledgers: dict[int, dict[str, Ledger]] = {}
        self._read_to: dict[int, int] = {}
        self._own: tuple[bytes, Posting] | None = None

    async def ledger(self, account: str) -> Ledger:
        """An account's ledger, as the log has it now. Raises ``LedgerBroken``."""
        place = await self._ranges.place_of(TOKEN_LEDGER, account)
        await self._read_on(place, await self._ranges.end(place))
        return self._ledger(place.partition, account)

    async def post(self, posting: Posting, value: bytes) -> bool:
        """Write a posting and read it back; whether it stands. After a ``KafkaError`` it may stand or not.

        ``value`` is the posting's message: the same bytes need not be decoded when they are read back.
        """
        self._own = value, posting
        place = await self._ranges.place_of(TOKEN_LEDGER, posting.account)
        await self._producer.write([Outgoing(TOKEN_LEDGER, encode_key(posting.account), value)])
        return await self._stands(place, self._producer.ends[place] - 1)

    def keep(self, partitions: set[int]) -> None:
        """Drop the ledgers of other partitions."""
        for partition in self._ledgers.keys() - partitions:
            del self._ledgers[partition], self._read_to[partition]

    async def _stands(self, place: TopicPartition, offset: int) -> bool:
        return offset in await self._read_on(place, offset + 1)

    async def _read_on(self, place: TopicPartition, end: int) -> set[int]:
        """Read a partition up to an offset, and return the offsets of the postings that stand."""
        records = self._ranges.read(place, self._read_to.get(place.partition, 0), end)
        standing = {record.offset async for record in records if self._take(record)}
        self._read_to[place.partition] = max(end, self._read_to.get(place.partition, 0))
        return standing

    def _take(self, record: ConsumerRecord) -> bool:
        """Skips a message that cannot be read, or has another account's key: the sink keeps it."""
        with suppress(UnreadablePosting):
            value = record.value or b""
            posting = self._own[1] if self._own is not None and self._own[0] == value else decode(value)
            if record.key == encode_key(posting.account):
                stands = self._ledger(record.partition, posting.account).append(posting)
                if stands:
                    self._heard(posting)
                return stands
        return False

    def _ledger(self, partition: int, account: str) -> Ledger:
        ledgers = self._ledgers.setdefault(partition, {})
        return ledgers.setdefault(account, Ledger(account))
