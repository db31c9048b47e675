"""Live counts of many accounts, each under the contract that the log says is in force. A cache of stored usage.

Usage is held as columns. The seats of an account are counted from objects (``rules/live/seats_in_use.py``), which take
twenty times the room and time; so an account is *made ready* only when somebody asks for it. From then on what is heard
of it is merged into its objects as well, until nobody has asked for some minutes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
from aiokafka import ConsumerRecord

from pipeline.agents.applied_contracts import AppliedContract, read_applied_contract
from pipeline.agents.live.held_usage import HeldUsage, Packed
from pipeline.codec.columns.seat_rows import evidence_of
from pipeline.codec.columns.usage_rows import of_accounts
from pipeline.codec.contract.policies import DEFAULT_POLICY
from pipeline.model.errors import ContractInvalid
from pipeline.model.evidence import SessionDay
from pipeline.model.instants import MINUTE_MS
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.live.default_judgement import DefaultJudgement
from pipeline.rules.live.judgement_cache import Judging
from pipeline.rules.live.seats_in_use import AccountSeats
from pipeline.rules.pool.reading import ContractReading

READY_MS: Final = 5 * MINUTE_MS
"""How long an account stays ready after somebody asked for it."""
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Ready:
    seats: AccountSeats
    asked_at: int


class LiveCounts:
    """The live seats of all accounts of some partitions. An account without a contract is judged by the default policy.

    ``now`` is a clock in ms. All but ``fold`` belongs to the event loop, and takes no time worth mentioning, but for
    the first question about an account.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._held: dict[int, HeldUsage] = {}
        self._ready: dict[str, _Ready] = {}
        self._contracts: dict[str, AppliedContract] = {}
        self._default = DefaultJudgement(metering_catalogue()[DEFAULT_POLICY])
        self._folding = asyncio.Lock()

    def assign(self, partitions: frozenset[int]) -> None:
        """Count the accounts of some partitions from now on, and let go of all others: other processes count them."""
        self._held = {partition: self._held.get(partition, HeldUsage()) for partition in partitions}
        self._ready.clear()

    def hear(self, partition: int, rows: pa.Table) -> None:
        """Take in seat rows of a partition, in any order and any number of times."""
        if partition in self._held:
            self._held[partition].hear(rows)
            self._merge_into_ready(rows)

    def hold(self, partition: int, piece: Packed) -> None:
        """The same for many rows."""
        if partition in self._held:
            self._held[partition].hold(piece)
            if not piece.accounts.isdisjoint(self._ready):
                self._merge_into_ready(piece.unpacked())

    async def fold(self) -> None:
        """Fold what was heard where it is much, and let go of accounts that nobody asks for."""
        idle_since = self._now() - READY_MS
        self._ready = {name: ready for name, ready in self._ready.items() if ready.asked_at > idle_since}
        async with self._folding:
            for held in list(self._held.values()):
                await held.fold_if_due(AccountSeats.DAYS_KEPT)

    def accounts(self) -> set[str]:
        """Every account with usage."""
        return {account for held in self._held.values() for account in held.accounts()}

    def account(self, name: str) -> AccountSeats:
        """The seats of an account as of now. Ask again for later ones: those handed out go stale."""
        if name not in self._ready:
            seats = AccountSeats(self._judging(name))
            for held in self._held.values():
                _merge(seats, held.of_account(name))
            self._ready[name] = _Ready(seats, 0)
        self._ready[name].asked_at = self._now()
        return self._ready[name].seats

    def _merge_into_ready(self, rows: pa.Table) -> None:
        if self._ready:
            heard = of_accounts(rows, self._ready)
            for account in heard["account"].unique().to_pylist():
                _merge(self._ready[account].seats, of_accounts(heard, [account]))

    def apply(self, applied: AppliedContract) -> None:
        """Take in a version of a contract, in any order; the account is judged by the version applied last."""
        name = applied.contract.account
        current = self._contracts.get(name)
        if current is not None and applied.applied_last <= current.applied_last:
            return
        self._contracts[name] = applied
        is_new = current is None or current.contract.content_hash != applied.contract.content_hash
        if is_new and name in self._ready:
            self._ready[name].seats.judge_by(self._judging(name))

    def hear_contract(self, record: ConsumerRecord) -> None:
        """Take in a record of the topic `contracts`. Skips what is no contract: the sink keeps it as a dead letter."""
        try:
            applied = read_applied_contract(record.key, record.value, record.timestamp, None, record.offset)
        except (ValueError, ContractInvalid) as error:
            log.warning("skipped a message of contracts at offset %d: %s", record.offset, type(error).__name__)
            return
        self.apply(applied)

    def _judging(self, account: str) -> Judging:
        applied = self._contracts.get(account)
        return self._default if applied is None else ContractReading(applied.contract, metering_catalogue())


def _merge(seats: AccountSeats, rows: pa.Table) -> None:
    for evidence in evidence_of(rows):
        if isinstance(evidence, SessionDay):
            seats.merge(evidence)
        else:
            seats.close(evidence)
    seats.forget()
