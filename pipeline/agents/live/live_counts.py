"""Live counts of many accounts, each under the contract that the log says is in force. A cache of stored usage."""

from __future__ import annotations

import logging

from aiokafka import ConsumerRecord

from pipeline.agents.applied_contracts import AppliedContract, read_applied_contract
from pipeline.codec.columns.usage_messages import UsageTables
from pipeline.codec.columns.usage_rows import closes, session_days
from pipeline.codec.contract.policies import DEFAULT_POLICY
from pipeline.model.errors import ContractInvalid
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.live.default_judgement import DefaultJudgement
from pipeline.rules.live.judgement_cache import Judging
from pipeline.rules.live.seats_in_use import AccountSeats
from pipeline.rules.pool.reading import ContractReading

log = logging.getLogger(__name__)


class LiveCounts:
    """The live seats of every account heard of. An account without a contract is judged by the default policy."""

    def __init__(self) -> None:
        self.accounts: dict[str, AccountSeats] = {}
        self._contracts: dict[str, AppliedContract] = {}
        self._default = DefaultJudgement(metering_catalogue()[DEFAULT_POLICY])

    def merge(self, usage: UsageTables) -> None:
        """Take in a message of usage; the same one again changes nothing."""
        for day in session_days(usage.rows):
            self.account(day.session.account).merge(day)
        for close in closes(usage.rows):
            self.account(close.session.account).close(close)
        for account in set(usage.rows["account"].to_pylist()):
            self.account(account).forget()

    def account(self, name: str) -> AccountSeats:
        """The seats of one account, empty at first."""
        if name not in self.accounts:
            self.accounts[name] = AccountSeats(self._judging(name))
        return self.accounts[name]

    def apply(self, applied: AppliedContract) -> None:
        """Take in a version of a contract, in any order; the account is judged by the version applied last."""
        name = applied.contract.account
        current = self._contracts.get(name)
        if current is not None and applied.applied_last <= current.applied_last:
            return
        self._contracts[name] = applied
        is_new = current is None or current.contract.content_hash != applied.contract.content_hash
        if is_new and name in self.accounts:
            self.accounts[name].judge_by(self._judging(name))

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
