"""The bookkeeper: usage and orders in log order become postings that stand (RULES 6).

An account's book is opened at the first order that posts. Then, at every such order:

1. **contract**: the current version in the store; without a contract nothing is posted, and the orders wait in the log,
2. **orders** of the account before this order: the stored ones, then those that the sink has yet to store,
3. **evidence**: the stored part, the part that the sink has yet to store, and `usage` up to its end now, so that a tick
   settles with everything that was appended before it,
4. **ledger**: its log, to the end,
5. a draft on top of it: each posting is written and read back before the next; after a void posting, again from 4.

Overlaps are merges. So another process that works on the same account, or a message that comes again, changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress

from aiokafka import ConsumerRecord, TopicPartition

from pipeline.agents.consuming import Message
from pipeline.agents.store_calls import CallStore
from pipeline.agents.tokens.account_book import POSTING_ORDERS, Book
from pipeline.agents.tokens.ledger_log import LedgerLog
from pipeline.application.tokens.token_reading import read_token_evidence
from pipeline.codec.columns.usage_messages import decode_usage
from pipeline.codec.columns.usage_rows import of_accounts, session_days
from pipeline.codec.topics import command_messages
from pipeline.codec.topics.command_messages import CommandInvalid
from pipeline.codec.topics.ledger_messages import PostingEncoder
from pipeline.codec.topics.message_keys import account_of, encode_key
from pipeline.codec.topics.usage_frames import UnreadableUsage
from pipeline.kafka.headers import USAGE_VERSION_HEADER
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
    """Works off messages in order. ``stored`` reads ranges of the log, and the offsets of the sink."""

    def __init__(self, log_id: str, stored: Ranges, postings_log: Ranges, producer: Producer, call: CallStore) -> None:
        self._log_id, self._stored, self._call = log_id, stored, call
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
        """Keep only accounts in these partitions of `commands`: other processes work on the rest."""
        for account in [account for account, book in self._books.items() if book.partition not in partitions]:
            self._close(account)
        for partition in self._next_order.keys() - partitions:
            del self._next_order[partition]
        for partition in self._usage_to.keys() - {book.usage for book in self._books.values()}:
            del self._usage_to[partition]
        self._ledgers.keep(partitions)

    def _hear_usage(self, message: Message) -> None:
        """Merge the next message. After a gap nothing is merged: the gap is read when an order needs it."""
        if message.offset == self._usage_to.get(message.partition):
            self._merge(message, self._books)
            self._usage_to[message.partition] = message.offset + 1

    async def _hear_order(self, message: Message) -> None:
        next_order = self._next_order.get(message.partition, 0)
        if message.offset > next_order:  # another process had the partition meanwhile
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
        self.available[ledger.account] = book.available(ledger, logged.received_at)

    async def _stand(self, ledger: Ledger, drafted: Sequence[Entry]) -> bool:
        """Write each posting in turn, until one does not stand; whether all stand."""
        encoder = PostingEncoder()
        for posting in each_posting(ledger, drafted, bytes_of=encoder.entry_bytes):
            if not await self._ledgers.post(posting, encoder.encode(posting)):
                return False
        return True

    async def _contract(self, account: str) -> Contract | None:
        """The contract in force now, ``None`` without one that passes the check."""
        versions = await self._call(contract_versions, account)
        if not versions:
            return None
        book, content_hash = self._books.get(account), versions[-1].content_hash
        if book is not None and book.contract.content_hash == content_hash:
            return book.contract
        try:
            return await self._call(stored_contract, account, content_hash)
        except ContractInvalid:
            log.warning("an account's tokens wait for a contract that passes the check: `seatbeat contract apply`")
            return None

    async def _open(self, contract: Contract, message: Message) -> Book:
        orders = await self._orders_before(contract.account, message)
        usage = await self._stored.place_of(USAGE, contract.account)
        book = Book(contract, message.partition, usage.partition, {order.command.id: order for order in orders})
        ledger = await self._ledgers.ledger(contract.account)
        await self._catch_up(usage)
        book.evidence, records = await self._stored.stored_then_log(
            {usage: self._usage_to[usage.partition]}, lambda: self._call(read_token_evidence, book.reading, ledger)
        )
        async for record in records:
            self._merge(record, {contract.account: book})
        self._books[contract.account] = book
        return book

    async def _orders_before(self, account: str, message: Message) -> list[Logged]:
        """The account's orders before a message of `commands`, stored or not, in log order, the first of each id."""
        place = TopicPartition(COMMANDS, message.partition)
        stored, records = await self._stored.stored_then_log(
            {place: message.offset}, lambda: self._call(read_placed, account)
        )
        earlier: list[Logged] = []
        here: dict[int, Logged] = {}
        for placed in stored:
            logged = Logged(placed.command, placed.received_at)
            if placed.log != self._log_id:
                earlier.append(logged)
            elif placed.offset < message.offset:
                here[placed.offset] = logged
        async for record in records:
            order = _read_order(record.key, record.value, record.timestamp)
            if order is not None and order.command.account == account:
                here[record.offset] = order
        firsts, _ = first_of_each([*earlier, *(here[offset] for offset in sorted(here))])
        return [logged for logged in firsts if not isinstance(logged.command.order, Tick)]

    async def _catch_up(self, usage: TopicPartition) -> None:
        """Merge a partition of `usage` up to its end now. The first time no book is open, and only the end is noted."""
        end = await self._stored.end(usage)
        start = self._usage_to.get(usage.partition, end)
        async for record in self._stored.read(usage, start, end):
            self._merge(record, self._books)
        self._usage_to[usage.partition] = max(start, end)

    def _close(self, account: str) -> None:
        self._books.pop(account, None)
        self.available.pop(account, None)

    def _heard(self, posting: Posting) -> None:
        """Take in a posting that stands, whichever process wrote it."""
        if posting.account in self._books:
            self._books[posting.account].evidence.posted(posting)

    @staticmethod
    def _merge(message: Message | ConsumerRecord, books: Mapping[str, Book]) -> None:
        """Skips a message that no meter wrote: the sink keeps it as a dead letter."""
        version = dict(message.headers).get(USAGE_VERSION_HEADER)
        if books and (version is not None or account_of(message.key) in books):
            with suppress(UnreadableUsage):
                for day in session_days(of_accounts(decode_usage(message.value or b"", version).rows, books)):
                    books[day.session.account].evidence.merge(day)


def _read_order(key: bytes | None, value: bytes | None, received_at: int) -> Logged | None:
    """The order in a message; ``None`` if it cannot be read, or has another account's key: the sink keeps it."""
    try:
        command = command_messages.decode(value or b"")
    except CommandInvalid:
        return None
    return Logged(command, received_at) if key == encode_key(command.account) else None
