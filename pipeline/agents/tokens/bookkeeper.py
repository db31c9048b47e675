"""The bookkeeper: usage and orders in log order become postings that stand (RULES 6).

An account is opened at the first order that posts. Then, at every such order:

1. **contract**: the store's current one; without one nothing is posted, and the orders wait for it in the log,
2. **orders** of the account up to this one, by the store and what the sink has yet to store,
3. **evidence** as the store has it, what the sink has yet to store, and `usage` up to its end now, so that whatever
   was appended before a tick is known when it settles,
4. **ledger**: the log, to its end,
5. a draft on top of it, posted one posting after the other, each read back; one that is void starts again with 4.

Overlaps are merges, so whoever else works on the same account, and whatever is heard again, changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress

from aiokafka import TopicPartition

from pipeline.agents.faust.checkpoint import Message
from pipeline.agents.store_questions import Ask
from pipeline.agents.tokens.account_book import POSTING_ORDERS, Book
from pipeline.agents.tokens.ledger_log import LedgerLog
from pipeline.application.token_reading import read_token_evidence
from pipeline.codec.topics import command_messages
from pipeline.codec.topics.command_messages import CommandInvalid
from pipeline.codec.topics.ledger_messages import Encoder
from pipeline.codec.topics.message_keys import account_of, encode_key
from pipeline.codec.topics.usage_frames import UnreadableUsage, decode_frame
from pipeline.kafka.producer import Producer
from pipeline.kafka.ranges import Ranges
from pipeline.kafka.topics import COMMANDS, USAGE
from pipeline.model.contracts import Contract
from pipeline.model.errors import ContractInvalid
from pipeline.model.ledger_entries import Entry, Posting
from pipeline.model.orders import Logged, Tick
from pipeline.rules.orders.first_of_id import first_of_each
from pipeline.rules.tokens.drafts import each_posting
from pipeline.rules.tokens.ledger import Ledger
from pipeline.store.contract_versions import contract_versions, stored_contract
from pipeline.store.order_log import read_placed

log = logging.getLogger(__name__)


class Bookkeeper:
    """Works messages off in order. ``stored`` reads ranges and knows how far the sink has stored them."""

    def __init__(self, log_id: str, stored: Ranges, postings_log: Ranges, producer: Producer, ask: Ask) -> None:
        self._log_id, self._stored, self._ask = log_id, stored, ask
        self._ledgers = LedgerLog(postings_log, producer, self._heard)
        self._books: dict[str, Book] = {}
        self._next_order: dict[int, int] = {}
        self._usage_to: dict[int, int] = {}
        self.available: dict[str, int] = {}
        """By account, the balance less what open windows reserve, as of the last order that posts. A cache."""

    async def work_off(self, messages: Sequence[Message]) -> None:
        """Return once all that messages of `usage` and `commands` lead to stands in the ledger's log."""
        for message in messages:
            if message.topic == USAGE:
                self._hear_usage(message)
            else:
                await self._hear_order(message)

    def keep(self, partitions: set[int]) -> None:
        """Drop what other partitions of `commands` hold: somebody else works on them."""
        for account in [account for account, book in self._books.items() if book.partition not in partitions]:
            self._close(account)
        for partition in self._next_order.keys() - partitions:
            del self._next_order[partition]
        for partition in self._usage_to.keys() - {book.usage for book in self._books.values()}:
            del self._usage_to[partition]
        self._ledgers.keep(partitions)

    def _hear_usage(self, message: Message) -> None:
        """Merge what comes next; what was passed over is read when it is needed, and what was read is known."""
        if message.offset == self._usage_to.get(message.partition):
            self._merge(message.key, message.value, self._books)
            self._usage_to[message.partition] = message.offset + 1

    async def _hear_order(self, message: Message) -> None:
        next_order = self._next_order.get(message.partition, 0)
        if message.offset > next_order:  # somebody else had the partition meanwhile
            for account in [account for account, book in self._books.items() if book.partition == message.partition]:
                self._close(account)
        logged = _read_order(message.key, message.value, message.received_at)
        if logged is not None:
            account = logged.command.account
            if isinstance(logged.command.order, POSTING_ORDERS):
                await self._carry_out(logged, message)
            elif account in self._books and self._books[account].hear(logged):
                self._close(account)
        self._next_order[message.partition] = max(next_order, message.offset + 1)

    async def _carry_out(self, logged: Logged, message: Message) -> None:
        account = logged.command.account
        contract = await self._contract(account)
        if contract is None:
            self._close(account)
            return
        book = self._books.get(account)
        if book is None or book.contract.content_hash != contract.content_hash:
            book = await self._open(contract, message)
        else:
            await self._catch_up(await self._stored.place_of(USAGE, account))
        book.hear(logged)
        await self._post(book, logged)

    async def _post(self, book: Book, logged: Logged) -> None:
        ledger = await self._ledgers.ledger(book.contract.account)
        while not await self._stand(ledger, book.draft(ledger, logged)):
            log.warning("a posting is void, as somebody else was first: what to post is worked out anew")
        book.forget(ledger)
        self.available[ledger.account] = book.available(ledger)

    async def _stand(self, ledger: Ledger, drafted: Sequence[Entry]) -> bool:
        """Post one posting after the other, as long as they stand."""
        encoder = Encoder()
        for posting in each_posting(ledger, drafted, bytes_of=encoder.entry_bytes):
            if not await self._ledgers.post(posting, encoder.encode(posting)):
                return False
        return True

    async def _contract(self, account: str) -> Contract | None:
        """The contract in force now, ``None`` without one that passes the check."""
        versions = await self._ask(contract_versions, account)
        if not versions:
            return None
        known, content_hash = self._books.get(account), versions[-1].content_hash
        if known is not None and known.contract.content_hash == content_hash:
            return known.contract
        try:
            return await self._ask(stored_contract, account, content_hash)
        except ContractInvalid:
            log.warning("an account's tokens wait for a contract that passes the check: `seatbeat contract apply`")
            return None

    async def _open(self, contract: Contract, message: Message) -> Book:
        orders = await self._orders_before(contract.account, message)
        usage = await self._stored.place_of(USAGE, contract.account)
        book = Book(contract, message.partition, usage.partition, {one.command.id: one for one in orders})
        ledger = await self._ledgers.ledger(contract.account)
        await self._catch_up(usage)
        # How far the sink is is asked for first: what it stores meanwhile is then read twice, never missed.
        stored_to, end = await self._stored.committed(usage), self._usage_to[usage.partition]
        book.evidence = await self._ask(read_token_evidence, book.reading, ledger)
        async for record in self._stored.read(usage, stored_to, end):
            self._merge(record.key, record.value, {contract.account: book})
        self._books[contract.account] = book
        return book

    async def _orders_before(self, account: str, message: Message) -> list[Logged]:
        """The account's orders before a message of `commands`: stored ones, and those the sink has yet to store."""
        place = TopicPartition(COMMANDS, message.partition)
        stored_to = min(await self._stored.committed(place), message.offset)
        earlier: list[Logged] = []
        here: dict[int, Logged] = {}
        for one in await self._ask(read_placed, account):
            logged = Logged(one.command, one.received_at)
            if one.log != self._log_id:
                earlier.append(logged)
            elif one.offset < message.offset:
                here[one.offset] = logged
        async for record in self._stored.read(place, stored_to, message.offset):
            found = _read_order(record.key, record.value, record.timestamp)
            if found is not None and found.command.account == account:
                here[record.offset] = found
        firsts, _ = first_of_each([*earlier, *(here[offset] for offset in sorted(here))])
        return [one for one in firsts if not isinstance(one.command.order, Tick)]

    async def _catch_up(self, usage: TopicPartition) -> None:
        """Merge what a partition of `usage` holds up to its end now. The first time there is nothing to merge into."""
        end = await self._stored.end(usage)
        start = self._usage_to.get(usage.partition, end)
        async for record in self._stored.read(usage, start, end):
            self._merge(record.key, record.value, self._books)
        self._usage_to[usage.partition] = max(start, end)

    def _close(self, account: str) -> None:
        self._books.pop(account, None)
        self.available.pop(account, None)

    def _heard(self, posting: Posting) -> None:
        """A posting stands, whoever wrote it."""
        if posting.account in self._books:
            self._books[posting.account].evidence.posted(posting)

    @staticmethod
    def _merge(key: bytes | None, value: bytes | None, books: Mapping[str, Book]) -> None:
        """What no meter wrote is passed over: the sink keeps it as a dead letter."""
        if account_of(key) in books:
            with suppress(UnreadableUsage):
                frame = decode_frame(value or b"")
                if frame.account in books:
                    for day in frame.days:
                        books[frame.account].evidence.merge(day)


def _read_order(key: bytes | None, value: bytes | None, received_at: int) -> Logged | None:
    """An order as the log holds it; what is none, or stands under another key, is the sink's to keep."""
    try:
        command = command_messages.decode(value or b"")
    except CommandInvalid:
        return None
    return Logged(command, received_at) if key == encode_key(command.account) else None
