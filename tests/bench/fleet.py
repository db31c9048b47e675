"""The heartbeats of the benchmark: a working fleet, a heartbeat per minute and machine, in order of time.

A frame is what a gateway collects from an account in a minute: a heartbeat of each machine, at the machine's own
second. So no two heartbeats of a frame belong to the same session. The same heartbeats exist as frames, singly, and as
NDJSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

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
    texts = {
        "v": 1, "account": account_name(account), "product": PRODUCTS[machine % len(PRODUCTS)], "version": "10.17.2",
        "machine": f"ws-{account:03}-{machine:05}", "user": f"user{machine:05}@account-{account:03}.example",
        "session": f"01JD5Y{day:04}{account:03}{machine:06}", "state": state, "usage": "production", "country": "CZ",
        "platform": "windows",
    }  # fmt: skip
    names = ("opened_at", "since", "at", "resumed_at", "active_at")
    return orjson.dumps(texts)[:-1] + b"".join(b',"%b":%%d' % name.encode() for name in names) + b"}"
