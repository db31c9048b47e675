"""One account's tokens at full size, in one worker: ``python -m tests.bench_tokens [USERS]``.

Every user uses five products; a day later one of them again, which is the settlement that is timed: windows found,
paid, posted, encoded, decoded and taken into the ledger. What a broker takes for each posting comes on top.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence

from pipeline.codec.ledger import decode, encode, entry_bytes
from pipeline.model.contract import Contract, Entitlement, Product, TokenPack
from pipeline.model.evidence import PRODUCTION, SessionDay, SessionKey
from pipeline.model.instants import DAY_MS, HOUR_MS
from pipeline.policy.catalogue import metering_catalogue
from pipeline.policy.tokens import token_catalogue
from pipeline.rules.reading import ContractReading
from pipeline.rules.tokens.evidence import TokenEvidence
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.posting import draft, postings
from pipeline.rules.tokens.rates import TokenReading

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


def settle(evidence: TokenEvidence, ledger: Ledger, until_at: int) -> tuple[int, int]:
    """Settle a day; how many entries and postings that makes."""
    entries = draft(ledger, contract(), evidence, (), now=until_at, hold_ms=0, complete_until=until_at)
    found = postings(ledger, entries, bytes_of=entry_bytes)
    for one in found:
        assert ledger.append(decode(encode(one)))
        evidence.posted(one)
    return len(entries), len(found)


def memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(arguments: Sequence[str]) -> None:
    """Print what it takes."""
    users = int(arguments[0]) if arguments else 100_000
    print(f"{users:,} users, {len(PRODUCTS)} products; {memory_mb()} MB before")
    evidence = TokenEvidence(TokenReading(ContractReading(contract(), metering_catalogue()), token_catalogue()))
    ledger = Ledger("acme")
    for day, codes in ((FIRST_DAY, PRODUCTS), (FIRST_DAY + 1, PRODUCTS[:1])):
        begun_s = time.perf_counter()
        for user in range(users):
            for code in codes:
                evidence.merge(used(user, code, day))
        print(f"{users * len(codes):,} sessions in {time.perf_counter() - begun_s:.1f} s, {memory_mb()} MB")
        begun_s = time.perf_counter()
        reserved = evidence.reserved(ledger)
        print(f"{reserved:,} tokens reserved after {time.perf_counter() - begun_s:.1f} s, {memory_mb()} MB")
        entries, count = settle(evidence, ledger, (day + 1) * DAY_MS)
        print(f"{entries:,} entries in {count} postings: {time.perf_counter() - begun_s:.1f} s, {memory_mb()} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
