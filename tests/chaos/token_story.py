"""A story of tokens: use, purchases and ticks day by day, and the expected ledger.

Every day's use is sent, in disorder and twice, before the tick that settles it. All instants are whole minutes, as the
second model in ``tests.support.auditors.token_auditor`` requires.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Final, cast

from pipeline.agents.consuming import Message
from pipeline.agents.sink import SINK_TOPICS
from pipeline.application.tokens.token_reading import token_reading
from pipeline.codec.columns.usage_messages import decode_usage
from pipeline.codec.columns.usage_rows import of_accounts, session_days
from pipeline.codec.contract.examination import read_contract
from pipeline.codec.topics import command_messages
from pipeline.codec.topics.message_keys import encode_key
from pipeline.kafka.headers import USAGE_VERSION_HEADER
from pipeline.kafka.posting import command_message, contract_message
from pipeline.kafka.producer import Outgoing
from pipeline.kafka.topics import COMMANDS, HEARTBEATS, TOKEN_LEDGER, USAGE
from pipeline.model.contracts import TokenPack
from pipeline.model.instants import DAY_MS
from pipeline.model.ledger_entries import Debit, Entry
from pipeline.model.orders import BuyTokens, Command, Logged, Tick
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.orders.first_of_id import first_of_each
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.drafts import draft, postings
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.token_evidence import TokenEvidence
from pipeline.store.postings import read_postings
from tests.chaos.inputs import Sent
from tests.chaos.world import DRAINED_S_MAX, World
from tests.support.auditors.token_auditor import Auditor, Charged

MINUTE: Final = 60_000
BEGINS_AT: Final = 1_651_363_200_000
"""2022-05-01T00:00:00Z."""
RATE: Final = 7
PACK_0_AT: Final = 1_648_771_200_000
"""2022-04-01T00:00:00Z."""
CONTRACT: Final = """
account: {account}
country: CZ
currency: EUR
products:
  ACD: {{idle_detection: false}}
entitlements:
  - {{product: ACD, model: flex, daily_rate: 7, from: 2022-01-01}}
token_packs:
  - {{id: P0, tokens: 40, purchased_at: 2022-04-01}}
"""


class TokenStory:
    """Days of some accounts in a world. ``day`` counts from 0; the tick two days later settles a day."""

    def __init__(self, world: World, accounts: Sequence[str] = ("alfa", "beta")) -> None:
        self._world, self.accounts, self.day = world, accounts, 0
        contracts = {account: CONTRACT.format(account=account).encode() for account in accounts}
        self._contracts = {account: read_contract(account, body) for account, body in contracts.items()}
        self._send([contract_message(self._contracts[account], body, "chaos") for account, body in contracts.items()])

    def until_stored(self) -> None:
        """Wait until the sink has stored everything, including contracts, orders and postings."""
        self._world.until_drained("meter")
        topics = self._world.partitions(*SINK_TOPICS["sink"])
        self._world.kafka.until_committed(f"{self._world.name}-sink", topics, DRAINED_S_MAX)

    def live(self, days: int = 1) -> None:
        """Live through days: use, some purchases, each sent twice, and then the tick."""
        for _ in range(days):
            self._world.send([message for account in self.accounts for message in self._use(account, self.day)])
            self._world.until_drained("meter")
            self._send([message for account in self.accounts for message in self._orders(account)])
            self.day += 1

    def live_late(self) -> None:
        """Send use of long ago, which the next day settles. Everything before must be processed."""
        self._world.until_drained("meter", "tokens")
        self._world.send(
            [
                self._beat(account, "late", f"late-{self.day}", BEGINS_AT + 9 * 3_600_000, 30)
                for account in self.accounts
            ]
        )
        self.live()

    def _use(self, account: str, day: int) -> list[Sent]:
        chance, beats = self._world.chance, []
        for user in range(6):
            if chance.random() < 0.7:
                at = BEGINS_AT + day * DAY_MS + chance.randrange(6 * 60, 16 * 60) * MINUTE
                session = f"{day}-{user}"
                whole = chance.choice((4, 5, 6, 45, 600))
                beats += [self._beat(account, f"user-{user}", session, at, length) for length in (whole // 2, whole)]
        beats += chance.sample(beats, len(beats) // 3)
        chance.shuffle(beats)
        return beats

    @staticmethod
    def _beat(account: str, user: str, session: str, at: int, minutes: int) -> Sent:
        says = {
            "v": 1, "account": account, "product": "ACD", "machine": f"ws-{user}", "user": user, "session": session,
            "opened_at": at, "since": at, "at": at + minutes * MINUTE, "state": "close",
        }  # fmt: skip
        return Sent(HEARTBEATS, encode_key(account, user), json.dumps(says).encode())

    def _orders(self, account: str) -> Iterator[Outgoing]:
        chance, now = self._world.chance, BEGINS_AT + self.day * DAY_MS
        if chance.random() < 0.5:
            pack = TokenPack(
                f"P{self.day + 1}", f"PO-{self.day}", "default", chance.choice((3, 20, 50)), now, price=None
            )
            buying = command_message(Command(f"buy-{self.day}", account, "chaos", now, BuyTokens((pack,))))
            yield from (buying, buying)
        ending = command_message(Command(f"tick-{self.day}", account, "chaos", now, Tick(now + DAY_MS)))
        yield from [ending] * chance.choice((1, 2))

    def _send(self, messages: Sequence[Outgoing]) -> None:
        self._world.kafka.send(
            [Sent(message.topic, message.key, message.value, message.headers) for message in messages]
        )

    def postings(self) -> list[Message]:
        """The raw log of the ledger."""
        return self._world.kafka.read(self._world.partitions(TOKEN_LEDGER))

    def void(self) -> int:
        """The number of void postings in the raw log."""
        return len(self.postings()) - sum(
            len({posting["sequence"] for posting in self._raw(each)}) for each in self.accounts
        )

    def difference(self) -> str:
        """The first difference between the ledger in the log and in the store and the expected ledger."""
        log = self._world.kafka.read(self._world.partitions(HEARTBEATS, USAGE, COMMANDS))
        for account in self.accounts:
            expected = self._expected(account, log)
            raw, stored = self._first_of_each_number(account), self._stored(account)
            if raw != [entry.id for entry in expected]:
                wrong = _first_wrong(raw, expected)
                return f"{account}: the log holds {len(raw)} entries in place of {len(expected)}: {wrong}"
            if stored is None:
                return f"{account}: the view and the rules read the stored log otherwise"
            if stored != raw:
                return f"{account}: the store shows {len(stored)} of {len(raw)} entries"
            charged, due = _charged(expected), self._audited(account, log)
            if charged != due:
                pairs = zip([*charged, None], [*due, None], strict=False)
                actual, audited = next(pair for pair in pairs if pair[0] != pair[1])
                return f"{account}: {actual} in place of {audited}"
        return ""

    def _raw(self, account: str) -> list[dict[str, object]]:
        read = [cast(dict[str, object], json.loads(message.value or b"")) for message in self.postings()]
        return [posting for posting in read if posting["account"] == account]

    def _first_of_each_number(self, account: str) -> list[str]:
        """Ids in order, of the first posting with each next number: a plain model of void postings."""
        ids: list[str] = []
        number = 0
        for posting in self._raw(account):
            if posting["sequence"] == number + 1:
                number += 1
                ids += [str(entry["id"]) for entry in cast(list[dict[str, object]], posting["entries"])]
        return ids

    def _stored(self, account: str) -> list[str] | None:
        """Ids in order from the view; ``None`` if the rules read the stored log differently."""
        with closing(self._world.store()) as client:
            rows = client.query(
                "SELECT id FROM ledger WHERE account = {account:String} ORDER BY sequence, `index`",
                {"account": account},
            ).result_rows
            folded = Ledger(account)
            for posting in read_postings(client, account):
                folded.append(posting)
        viewed = [str(id_) for (id_,) in rows]
        return viewed if [*folded.entries] == viewed else None

    def _expected(self, account: str, log: Sequence[Message]) -> list[Entry]:
        """The entries that the rules draft, order by order, from the raw log at the time of each order."""
        contract = self._contracts[account]
        reading = token_reading(ContractReading(contract, metering_catalogue()))
        ledger, evidence = Ledger(account), TokenEvidence(reading)
        orders: list[Logged] = []
        for usage, logged in _by_order(account, log, USAGE):
            for read in (decode_usage(message.value or b"", message.header(USAGE_VERSION_HEADER)) for message in usage):
                for day in session_days(of_accounts(read.rows, [account])):
                    evidence.merge(day)
            orders.append(logged)
            evidence.touch()
            firsts, _ = first_of_each(orders)
            for posting in postings(ledger, draft(ledger, contract, evidence, firsts, now=logged.received_at)):
                assert ledger.append(posting)
        return [*ledger.entries.values()]

    @staticmethod
    def _audited(account: str, log: Sequence[Message]) -> list[Charged]:
        """The charges of the second model."""
        auditor, bought = Auditor(RATE), set[str]()
        auditor.buy("P0", "default", 40, PACK_0_AT // MINUTE)
        ends: dict[tuple[str, str], tuple[int, int]] = {}
        for beats, logged in _by_order(account, log, HEARTBEATS):
            for says in (json.loads(message.value or b"") for message in beats):
                if says["account"] == account:
                    opened, last = says["opened_at"] // MINUTE, says["at"] // MINUTE
                    ends[says["user"], says["session"]] = (
                        opened, max(last, ends.get((says["user"], says["session"]), (0, 0))[1]),
                    )  # fmt: skip
            order = logged.command.order
            if isinstance(order, BuyTokens):
                for pack in order.packs:
                    if pack.id not in bought:
                        auditor.buy(pack.id, pack.team, pack.tokens, pack.purchased_at // MINUTE)
                        bought.add(pack.id)
            elif isinstance(order, Tick):
                auditor.sessions = {}
                for (user, _), (opened, last) in ends.items():
                    auditor.use(user, opened, last)
                auditor.tick((order.complete_until - DAY_MS) // MINUTE)
        return auditor.charged


def _by_order(account: str, log: Sequence[Message], topic: str) -> Iterator[tuple[list[Message], Logged]]:
    """An account's orders in log order, each with the messages of another topic since the previous order."""
    others = sorted((message for message in log if message.topic == topic), key=lambda message: message.received_at)
    read = 0
    for message in log:
        if message.topic == COMMANDS and message.key == encode_key(account):
            until = read
            while until < len(others) and others[until].received_at <= message.received_at:
                until += 1
            yield others[read:until], Logged(command_messages.decode(message.value or b""), message.received_at)
            read = until


def _charged(entries: Sequence[Entry]) -> list[Charged]:
    """The debits of a ledger in the form of the second model."""
    return [
        Charged(
            fact.window.user, fact.window.start_at // MINUTE, fact.window.end_at // MINUTE, fact.team,
            [part.pack for part in fact.parts for _ in range(part.tokens)], fact.uncovered,
        )
        for fact in (entry.fact for entry in entries)
        if isinstance(fact, Debit)
    ]  # fmt: skip


def _first_wrong(raw: Sequence[str], expected: Sequence[Entry]) -> str:
    """The first entry that differs."""
    for place, entry in enumerate(expected):
        if place >= len(raw) or raw[place] != entry.id:
            return f"entry {place} should be {entry}"
    return f"entry {len(expected)} should not be there"
