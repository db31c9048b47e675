"""The heartbeats of the benchmark: a working fleet, a heartbeat per minute and machine, in order of time.

A frame is what a gateway collects from an account in a minute: a heartbeat of each machine, at the machine's own
second. So no two heartbeats of a frame belong to the same session. The same heartbeats exist as frames, singly, and as
NDJSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Final, NamedTuple

import orjson

from pipeline.codec.topics.message_keys import encode_key
from pipeline.model.instants import DAY_MS, MINUTE_MS, at_midnight, calendar_day

FIRST_DAY_AT: Final = at_midnight(calendar_day(19_116))  # 2022-05-04
WORK_STARTS_MS: Final = 8 * 60 * MINUTE_MS
WORKING_MINUTES: Final = 480
PRODUCTS: Final = ("MSTN", "STAAD", "ACD", "MAYA", "ORD")


@dataclass(frozen=True, slots=True)
class Fleet:
    """``accounts`` of ``machines`` each, with the first heartbeat at ``first_at`` and a session per day and machine."""

    accounts: int = 8
    machines: int = 250
    first_at: int = FIRST_DAY_AT + WORK_STARTS_MS

    @property
    def sessions(self) -> int:
        return self.accounts * self.machines

    @property
    def frame_members(self) -> int:
        return self.machines

    def frames(self, heartbeats: int, start: int = 0) -> Iterator[tuple[str, bytes]]:
        """Frames of ``machines`` heartbeats with their accounts, from frame ``start`` on."""
        for number in range(start, start + heartbeats // self.machines):
            minute, account = divmod(number, self.accounts)
            yield account_name(account), self.frame(account, minute)

    def frame(self, account: int, minute: int) -> bytes:
        """The heartbeats of an account in a minute of work; minutes do not count at night."""
        day, minute_of_day = divmod(minute, WORKING_MINUTES)
        opened_at = self.first_at + day * DAY_MS
        at = opened_at + minute_of_day * MINUTE_MS
        times: list[int] = []
        for offset_ms in _offsets_ms(self.machines):
            opened, now = opened_at + offset_ms, at + offset_ms
            times += (opened, max(opened, now - MINUTE_MS), now, opened, max(opened, now - offset_ms % 50_000))
        return _template(account, self.machines, day, "beat" if minute_of_day else "open") % tuple(times)

    def singles(self, heartbeats: int) -> Iterator[tuple[bytes, bytes]]:
        """The same heartbeats singly, with the key of a client's heartbeat."""
        for _, frame in self.frames(heartbeats):
            for member in orjson.loads(frame):
                yield encode_key(member["account"], member["user"]), orjson.dumps(member)

    def session_days(self, heartbeats: int) -> int:
        """The number of session days of that many heartbeats."""
        minutes = -(-heartbeats // self.sessions)
        return self.sessions * -(-minutes // WORKING_MINUTES)


def account_name(account: int) -> str:
    return f"account-{account:03}"


@lru_cache(maxsize=8)
def _offsets_ms(machines: int) -> tuple[int, ...]:
    return tuple(machine * 7_919 % MINUTE_MS for machine in range(machines))


@lru_cache(maxsize=1_024)
def _template(account: int, machines: int, day: int, state: str) -> bytes:
    """A frame with a placeholder for each time."""
    return b"[%b]" % b",".join(_heartbeat(account, machine, day, state) for machine in range(machines))


def _heartbeat(account: int, machine: int, day: int, state: str) -> bytes:
    return _with_times(_texts(account, machine, f"01JD5Y{day:04}{account:03}{machine:06}", state))


def _texts(account: int, machine: int, session: str, state: str) -> dict[str, str | int]:
    return {
        "v": 1, "account": account_name(account), "product": PRODUCTS[machine % len(PRODUCTS)], "version": "10.17.2",
        "machine": f"ws-{account:03}-{machine:05}", "user": f"user{machine:05}@account-{account:03}.example",
        "session": session, "state": state, "usage": "production", "country": "CZ", "platform": "windows",
    }  # fmt: skip


def _with_times(texts: dict[str, str | int]) -> bytes:
    """A heartbeat with a placeholder for each time."""
    names = ("opened_at", "since", "at", "resumed_at", "active_at")
    return orjson.dumps(texts)[:-1] + b"".join(b',"%b":%%d' % name.encode() for name in names) + b"}"


@dataclass(frozen=True, slots=True)
class LargeFleet:
    """A desktop a session: ``accounts`` of ``machines`` each, random session ids, times jittered, a beat a minute.

    A frame is what a gateway gathers within 10 ms from whoever sends: ``frame_members`` heartbeats of as many sessions,
    in order of time, of many accounts. 1,700 heartbeats a second make frames of 17, and 17,000 frames of 170.
    """

    accounts: int = 500
    machines: int = 200
    frame_members: int = 170
    first_at: int = FIRST_DAY_AT + WORK_STARTS_MS

    @property
    def sessions(self) -> int:
        return self.accounts * self.machines

    def session_days(self, heartbeats: int) -> int:
        """The number of session days of that many heartbeats, within a day."""
        return min(self.sessions, heartbeats // self.frame_members * self.frame_members)

    def frames(self, heartbeats: int, start: int = 0) -> Iterator[tuple[str, bytes]]:
        """Frames of ``frame_members`` heartbeats, from frame ``start`` on; without an account: they hold many."""
        desktops = _desktops(self.accounts, self.machines)
        size = self.frame_members
        for number in range(start, start + heartbeats // size):
            members = []
            for place in range(number * size, (number + 1) * size):
                minute, desktop = divmod(place, len(desktops))
                members.append(desktops[desktop].heartbeat(self.first_at + minute * MINUTE_MS, minute))
            yield "", b"[%b]" % b",".join(members)


class _Desktop(NamedTuple):
    """A machine with a session: its second of the minute, when it opened, and its heartbeat but for the times."""

    second_ms: int
    opened_ms: int
    template: bytes

    def heartbeat(self, minute_at: int, minute: int) -> bytes:
        jitter_ms = (self.second_ms * 31 + minute * 17) % 61 - 30
        at = minute_at + self.second_ms + jitter_ms
        opened_at = minute_at - minute * MINUTE_MS - self.opened_ms
        resumed_at = opened_at + (minute + self.second_ms) // 45 * 1_733_123 % max(1, at - opened_at)
        active_at = max(resumed_at, at - self.second_ms * 7 % 50_000)
        return self.template % (opened_at, max(opened_at, at - MINUTE_MS - jitter_ms), at, resumed_at, active_at)


@lru_cache(maxsize=2)
def _desktops(accounts: int, machines: int) -> tuple[_Desktop, ...]:
    """All machines in order of their second; the random numbers are the same in every run."""
    chance = Random(accounts * machines)  # noqa: S311 -- the same in every run
    desktops = []
    for account in range(accounts):
        for machine in range(machines):
            texts = _texts(account, machine, f"{chance.getrandbits(128):032x}", "beat")
            second_ms, opened_ms = chance.randrange(MINUTE_MS), chance.randrange(1, 60 * MINUTE_MS)
            desktops.append(_Desktop(second_ms, opened_ms, _with_times(texts)))
    return tuple(sorted(desktops))
