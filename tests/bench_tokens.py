"""One account's tokens at full size, in one worker: ``python -m tests.bench_tokens [USERS]``.

Every user uses five products; a day later one of them again, which is the settlement that is timed: windows found,
paid, posted, encoded, decoded and taken into the ledger. What a broker takes for each posting comes on top; so does a
bookkeeper's saving, who need not decode what it wrote itself.

100,000 windows on two cores that others use too (load 2.3), with 500,000 entries in the books:

| | wall | CPU | memory |
|---|---|---|---|
| every pool of a posting worked out anew, entries encoded twice (load 6) | 52.8 s | not taken | 1.8 GB |
| only what may still change, each entry once | 19.0 s | 17.3 s | 1.4 GB |

In the last row 600,000 sessions and as many entries are held: about 1.1 KB for each of them, all taken together.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.agents.tokens.account_book import Book
from pipeline.agents.tokens.ticks import tick
from pipeline.codec.topics.ledger_messages import PostingEncoder, decode
from pipeline.model.contracts import Contract, Entitlement, Product, TokenPack
from pipeline.model.evidence import PRODUCTION, SessionDay, SessionKey
from pipeline.model.instants import DAY_MS, HOUR_MS
from pipeline.model.orders import Logged
from pipeline.rules.tokens.drafts import each_posting
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.settling_hold import HOLD_MS

PRODUCTS = tuple(f"P{number}" for number in range(5))
BOUGHT_AT = 1_641_772_800_000
FIRST_DAY = 19_114


def contract() -> Contract:
    """Five products at seven tokens a day, and tokens enough."""
    return Contract(
        account="acme",
        country="CZ",
        currency="EUR",
        content_hash="",
        products={code: Product(code) for code in PRODUCTS},
        entitlements=tuple(
            Entitlement((code,), "CZ", "flex", "autodesk-flex", 0, BOUGHT_AT, None, daily_rate=7) for code in PRODUCTS
        ),
        token_packs=(TokenPack("P", "", "default", 10**9, BOUGHT_AT, None),),
    )


def used(user: int, code: str, day: int) -> SessionDay:
    """An hour's use that begins some time between eight and four."""
    at = day * DAY_MS + 8 * HOUR_MS + user % 480 * 60_000
    first = at % DAY_MS // 600_000
    key = SessionKey("acme", code, "CZ", PRODUCTION, f"ws-{user}", f"user-{user}@acme.example", f"{day}-{user}-{code}")
    return SessionDay(key, day, at, at + HOUR_MS, 0b1111111 << first, {at: at + HOUR_MS}, "2024.1", at, at)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long something took, and the memory in use after it."""
    begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
    yield
    took_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - begun_cpu_s
    print(f"  {what:<42} {took_s:6.1f} s  {cpu_s:6.1f} s of CPU  {memory_mb():5} MB", flush=True)


def settle(book: Book, ledger: Ledger, complete_until: int) -> None:
    """What the bookkeeper does at a tick, without a broker."""
    order = Logged(tick("acme", complete_until), complete_until)
    with timed("found and paid"):
        entries = book.draft(ledger, order)
    encoder, before = PostingEncoder(), ledger.sequence
    with timed("encoded, decoded, taken into the ledger"):
        for posting in each_posting(ledger, entries, bytes_of=encoder.entry_bytes):
            read = decode(encoder.encode(posting))
            assert ledger.append(read)
            book.evidence.posted(read)
    print(f"  {len(entries):,} entries in {ledger.sequence - before} postings")
    del entries, posting, read
    with timed("what is settled forgotten, reserved told"):
        book.forget(ledger)
        assert book.available(ledger, complete_until)


def memory_mb() -> int:
    """The memory in use now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() >> 20


def main(arguments: Sequence[str]) -> None:
    """Print what it takes."""
    users = int(arguments[0]) if arguments else 100_000
    print(f"{users:,} users, {len(PRODUCTS)} products; {memory_mb()} MB before")
    book, ledger = Book(contract(), 0, 0), Ledger("acme")
    for day, codes in ((FIRST_DAY, PRODUCTS), (FIRST_DAY + 1, PRODUCTS[:1])):
        with timed(f"{users * len(codes):,} sessions heard"):
            for user in range(users):
                for code in codes:
                    book.evidence.merge(used(user, code, day))
        with timed("a day settled"):
            settle(book, ledger, (day + 1) * DAY_MS + HOLD_MS)
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB at most")


if __name__ == "__main__":
    main(sys.argv[1:])
