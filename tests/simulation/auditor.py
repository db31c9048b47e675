"""The auditor: a second model that reads the raw input independently and observes every effect.

Its invariants can become false only when a message is acknowledged, an offset committed or a delivery stored, because
logs only grow and stored rows only merge; so it checks at each of these moments, and everything again at the end.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Final

from pipeline.agents.consuming import Message
from pipeline.kafka.topics import HEARTBEATS, USAGE
from tests.simulation.broker import Place
from tests.simulation.evidence import SLOT_MS, read_dead_letter, read_heartbeats, read_usage
from tests.simulation.knowledge import Knowledge, Session
from tests.simulation.store import KEYS, Row, StoreModel
from tests.simulation.stored import day_of_row, session_of_row

LOG: Final = "simulated"
Peaks = dict[tuple[str, str, str], int]
"""By account, product and country."""


class Violation(AssertionError):
    """A promise is broken."""


class Auditor:
    """``expected`` of the raw input, ``published`` on the topics between, ``stored`` in the tables."""

    def __init__(self, store: StoreModel) -> None:
        self._store = store
        self.expected, self.published, self.stored = Knowledge(), Knowledge(), Knowledge()
        self._of: dict[tuple[str, int, int], Knowledge] = {}
        self._members: dict[tuple[int, int], int] = {}
        self._values: set[tuple[bytes | None, bytes | None]] = set()
        self._checked: dict[Place, int] = {}
        self._delivered: set[tuple[str, int, int]] = set()
        self._taken: defaultdict[tuple[str, str, int], deque[int]] = defaultdict(deque)

    def appended(self, message: Message) -> None:
        """A message was appended to a topic."""
        if message.topic == HEARTBEATS:
            members, says = read_heartbeats(message)
            self._members[message.partition, message.offset] = members
            self._values.add((message.key, message.value))
            self.expected.learn(says)
        else:
            says = read_usage(message) if message.topic == USAGE else read_dead_letter(message)
            self.published.learn(says)
        self._of[message[:3]] = says

    def inserted(self, table: str, rows: Iterable[Row]) -> None:
        """Rows were merged into a table: read the merged rows."""
        for row in rows:
            self._read_back(table, self._store.tables[table][tuple(row[column] for column in KEYS[table])])

    def taken(self, who: str, message: Message) -> None:
        """A worker took a message."""
        self._taken[who, message.topic, message.partition].append(message.offset)

    def acknowledged(self, who: str, message: Message) -> None:
        """A message is acknowledged only after its outputs are stored, and after earlier messages."""
        earliest = self._taken[who, message.topic, message.partition].popleft()
        if earliest != message.offset:
            raise Violation(f"{who} acknowledges {message[:3]} before {earliest}, which it took earlier")
        missing = self._downstream(message.topic).missing(self._of[message[:3]])
        if missing:
            place = f"{message.topic}/{message.partition}@{message.offset}"
            raise Violation(f"{place} is acknowledged, but what it led to is not stored: {missing}")

    def committed(self, offsets: Mapping[Place, int]) -> None:
        """Everything below a committed offset is stored."""
        for place, end in offsets.items():
            for offset in range(self._checked.get(place, 0), end):
                missing = self._downstream(place[0]).missing(self._of[*place, offset])
                if missing:
                    raise Violation(
                        f"{place} is committed up to {end}, but what {offset} led to is not stored: {missing}"
                    )
            self._checked[place] = max(end, self._checked.get(place, 0))

    def ended(self, sent: Iterable[tuple[bytes | None, bytes | None]], peaks: Mapping[str, Peaks]) -> None:
        """Everything is drained. ``sent`` are the accepted messages, ``peaks`` the pipeline's peaks by policy."""
        if any(message not in self._values for message in sent):
            raise Violation("a message that a client was told is accepted does not stand in the log")
        for name, facts in (("published", self.published), ("stored", self.stored)):
            difference = facts.difference(self.expected)
            if difference:
                raise Violation(f"what is {name} differs from the raw input: {difference}")
        self._conserved()
        for policy, stored_peaks in peaks.items():
            own = self.peaks(policy)
            if stored_peaks != own:
                raise Violation(f"peaks by {policy}: {stored_peaks} instead of {own}")

    def peaks(self, policy: str) -> Peaks:
        """The most units in any slot, per account, product and country, by RULES 3."""
        slot_ms, min_use_ms, opening_counts, is_by_machine = {
            "bentley-select": (SLOT_MS, 600_000, False, True),
            "bentley-select-deployed": (3_600_000, 0, True, False),
        }[policy]
        units: dict[tuple[tuple[str, str, str], int], set[object]] = {}
        for session, (opened_at, last_at, used_at) in self._sessions().items():
            if session[3] != "production" or last_at - opened_at < min_use_ms:
                continue
            for slot in {at // slot_ms for at in used_at}:
                if opening_counts or slot != opened_at // slot_ms:
                    unit = session[4] if is_by_machine else session
                    units.setdefault((session[:3], slot), set()).add(unit)  # type: ignore[arg-type]  # three texts
        peaks: Peaks = {}
        for (pool, _), units_of_slot in units.items():
            peaks[pool] = max(len(units_of_slot), peaks.get(pool, 0))
        return peaks

    def _sessions(self) -> dict[Session, tuple[int, int, list[int]]]:
        by_session: dict[Session, tuple[int, int, list[int]]] = {}
        for (session, day), fact in self.expected.days.items():
            opened_at, last_at, used_at = by_session.get(session, (fact.opened_at, fact.last_at, []))
            used_at += [(day * 144 + slot) * SLOT_MS for slot in fact.slots]
            by_session[session] = (min(opened_at, fact.opened_at), max(last_at, fact.last_at), used_at)
        return by_session

    def _conserved(self) -> None:
        """Accepted = merged + dead-letter, message by message."""
        accounted = dict.fromkeys(self._members, 0)
        for (_, partition, offset), heartbeats in self.stored.deliveries.items():
            accounted[partition, offset] += heartbeats
        for row in self._store.tables["dead_letters"].values():
            accounted[row["partition"], row["offset"]] += 1
        for place, members in self._members.items():
            if accounted[place] != members:
                raise Violation(f"{HEARTBEATS} {place}: {members} accepted, {accounted[place]} merged or dead-lettered")

    def _downstream(self, topic: str) -> Knowledge:
        return self.published if topic == HEARTBEATS else self.stored

    def _read_back(self, table: str, row: Row) -> None:
        if table == "usage_days":
            key, fact = day_of_row(row)
            self.stored.days[key] = fact
        elif table == "session_closes":
            self.stored.closes[session_of_row(row)] = row["closed_at"]
        elif table == "dead_letters":
            self.stored.letters[row["partition"], row["offset"], row["index"]] = row["code"]
        else:
            for offset, heartbeats in row["heartbeats"].items():
                self._count_delivery((row["account"], row["partition"], offset), heartbeats)

    def _count_delivery(self, place: tuple[str, int, int], heartbeats: int) -> None:
        """The evidence of a counted delivery is stored."""
        self.stored.deliveries[place] = heartbeats
        if place not in self._delivered:
            self._delivered.add(place)
            missing = self.stored.missing(self._of[HEARTBEATS, *place[1:]].of_account(place[0]))
            if missing:
                raise Violation(f"delivery {place} is counted, but what it brought is not stored: {missing}")
