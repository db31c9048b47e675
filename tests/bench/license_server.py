"""A made-up FlexNet server's debug log, as large as wanted: deterministic, and with as much open at the end of any.

It looks like the logs of offices that ``tests`` read where they are there: most launches check out two features in one
second, people work in the day and some leave their programs open over night, the daemons stamp the log every six hours,
and some requests are denied. A longer log lasts longer: what is open at a time does not grow with it.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

BEGIN: Final = datetime(2020, 1, 1, 1, 0, tzinfo=UTC)
STAMP_S: Final = 6 * 3600
DAILY_LAUNCHES: Final = 550
"""About 2,200 event lines a day: 200,000 are a quarter of a year."""
_OVERNIGHT: Final = 0.03
_DENIED: Final = 0.02
_CHATTER: Final = 0.01


@dataclass(frozen=True, slots=True)
class LicenseServer:
    """An office of ``users``, each at a machine of their own, with ``products`` of a generic and a dated feature."""

    users: int = 900
    products: int = 24
    seed: int = 1

    def log(self, events: int) -> Iterator[bytes]:
        """A log's lines, with line ends, until it holds ``events`` lines with an event; the last one is a stamp."""
        random = Random(self.seed)  # noqa: S311  (a made-up log, not a secret)
        written, now_s, stamped_s = 0, 60, 0
        running: list[tuple[int, int, str, str]] = []
        yield _line(0, "lmgrd", f"FlexNet Licensing (v11.16.2) started on srv1 (linux) ({_date(0)})")
        launches = self._launches(random)
        launch_s, product, holder, lasts_s = next(launches)
        while written < events:
            now_s = max(now_s, min(launch_s, running[0][0] if running else launch_s))
            while stamped_s + STAMP_S <= now_s:
                stamped_s += STAMP_S
                yield _line(stamped_s, "lmgrd", f"TIMESTAMP {_date(stamped_s)}")
                yield _line(stamped_s + 40, "adskflex", f"TIMESTAMP {_date(stamped_s)}")
                now_s = max(now_s, stamped_s + 40)
            if running and running[0][0] <= launch_s:
                _, _, features, user = heapq.heappop(running)
                for feature in reversed(features.split()):
                    yield _line(now_s, "adskflex", f'IN: "{feature}" {user}  ')
                    written += 1
                continue
            features = f"6{4000 + product}PROD_F 8{7000 + product}PROD_{2020 + product % 3}_0F"
            if random.random() < _DENIED:
                reason = "(Licensed number of users already reached. (-4,342))"
                yield _line(now_s, "adskflex", f'DENIED: "{features.split()[0]}" {holder}  {reason}')
                written += 1
            else:
                for feature in features.split():
                    yield _line(now_s, "adskflex", f'OUT: "{feature}" {holder}  ')
                    written += 1
                heapq.heappush(running, (now_s + lasts_s, written, features, holder))
            if random.random() < _CHATTER:
                yield _line(now_s, "adskflex", "TCP_NODELAY NOT enabled")
            launch_s, product, holder, lasts_s = next(launches)
        yield _line(now_s + 1, "lmgrd", f"TIMESTAMP {_date(now_s + 1)}")

    def _launches(self, random: Random) -> Iterator[tuple[int, int, str, int]]:
        """When, which product, who at which machine, and for how many seconds; in order of time."""
        day = 0
        while True:
            starts = sorted(
                day * 86_400 + min(86_399, max(0, int(random.gauss(11.5, 3) * 3600))) for _ in range(DAILY_LAUNCHES)
            )
            for start_s in starts:
                user = min(self.users - 1, int(random.expovariate(4 / self.users)))
                product = min(self.products - 1, int(random.expovariate(5 / self.products)))
                name = f"User.{user:04}" if user % 7 else f"eva user{user:04}"
                lasts_s = 14 * 3600 if random.random() < _OVERNIGHT else int(random.expovariate(1 / 5_000))
                yield start_s, product, f"{name}@{'WS' if user % 3 else 'ws'}-{user:04}", lasts_s
            day += 1


def _line(at_s: int, daemon: str, message: str) -> bytes:
    moment = BEGIN + timedelta(seconds=at_s)
    return f"{moment.hour:2}:{moment:%M:%S} ({daemon}) {message}\n".encode()


def _date(at_s: int) -> str:
    moment = BEGIN + timedelta(seconds=at_s)
    return f"{moment.month}/{moment.day}/{moment.year}"
