"""Contracts as they stand in the log: one version a message, the file byte for byte (topic `contracts`)."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.codec.contract.examination import read_contract
from pipeline.codec.topics.message_keys import encode_key
from pipeline.model.contracts import Contract


@dataclass(frozen=True, slots=True)
class AppliedContract:
    """A contract as it was applied, with the file's bytes and its offset in the log, which has one partition."""

    contract: Contract
    body: bytes
    applied_at: int
    applied_by: str
    offset: int

    @property
    def applied_last(self) -> tuple[int, int, str]:
        """Of an account's versions the one with the largest is in force; the store orders them by the same."""
        return self.applied_at, self.offset, self.contract.content_hash


def read_applied_contract(
    key: bytes | None, value: bytes | None, applied_at: int, applied_by: bytes | None, offset: int
) -> AppliedContract:
    """The contract in a message. Raises ``ContractInvalid``, and ``ValueError`` under another account's key."""
    contract = read_contract("contract", value or b"")
    if key != encode_key(contract.account, contract.content_hash):
        raise ValueError("the key is not that of the account in a message of contracts")
    by = (applied_by or b"").decode("utf-8", "replace")
    return AppliedContract(contract, value or b"", applied_at, by, offset)
