"""One account as a use case reads it: its contract, its log of orders, its closes, its ledger.

A use case takes an ``AccountView`` and plain values and hands the view down. Each record is read from the store when
it is first asked for and at most once per view, however many functions ask. What was written since is in
``refreshed()``, not in the view that was read before.

A view is as of now, or as of something else that shares its records: a close (``at_close``), another contract
(``under``), another list of orders (``after``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from pipeline.application.account_choice import no_contract
from pipeline.application.tokens.token_reading import token_reading_of
from pipeline.codec.statement.statement_json import read_statement_json
from pipeline.model.contracts import Contract
from pipeline.model.errors import InputError
from pipeline.model.instants import Period
from pipeline.model.ledger_entries import Posting
from pipeline.model.orders import Logged
from pipeline.model.statements import VoidEntry
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.orders.first_of_id import first_of_each
from pipeline.rules.orders.voids import voids_in_force
from pipeline.rules.people.holders import People, people_of
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement.closes import Closed, Closes, read_closes
from pipeline.rules.tokens.ledger import Ledger, read_ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.store.client import Client
from pipeline.store.completeness_marks import read_complete_until
from pipeline.store.contract_versions import ContractVersion, contract_versions, stored_contract
from pipeline.store.order_log import read_commands
from pipeline.store.postings import read_postings

Engine = Literal["embedded", "server"]


class _AccountRecords:
    """What the store holds of an account, each kind read once. All views that are derived from one another share it."""

    def __init__(self, client: Client, account: str, contracts: dict[str, Contract | None]) -> None:
        self.client = client
        self.account = account
        self.contracts = contracts
        """Versions of the contract by content hash, the current one under ``''``; ``None`` for what is not stored."""

    @cached_property
    def log(self) -> tuple[Logged, ...]:
        return tuple(read_commands(self.client, self.account))

    @cached_property
    def orders(self) -> tuple[Logged, ...]:
        return first_of_each(self.log)[0]

    @cached_property
    def closes(self) -> Closes:
        return read_closes(self.orders, read_statement_json)

    @cached_property
    def postings(self) -> tuple[Posting, ...]:
        return tuple(read_postings(self.client, self.account))

    @cached_property
    def ledger(self) -> Ledger:
        return read_ledger(self.account, self.postings)

    @cached_property
    def complete_until(self) -> int | None:
        return read_complete_until(self.client, self.account)

    @cached_property
    def contract_versions(self) -> tuple[ContractVersion, ...]:
        return tuple(contract_versions(self.client, self.account))

    def contract(self, content_hash: str = "") -> Contract | None:
        if content_hash not in self.contracts:
            self.contracts[content_hash] = stored_contract(self.client, self.account, content_hash)
        return self.contracts[content_hash]

    def followed_by(self, command: Logged | None, postings: Sequence[Posting]) -> _AccountRecords:
        """What the store holds after this was written, where nobody else writes: what was read is not read again."""
        after, read = _AccountRecords(self.client, self.account, self.contracts), vars(self)
        # The store orders logs by time. Where the clock was set back, the command is not the last of them.
        if "log" in read and (command is None or not self.log or self.log[-1].received_at < command.received_at):
            after.log = self.log if command is None else (*self.log, command)
        if "postings" in read:
            after.postings = (*self.postings, *postings)
        if "complete_until" in read:
            after.complete_until = self.complete_until
        return after


class AccountView:
    """An account under one contract and after some of its orders; ``closed`` is the close it is as of, if any."""

    def __init__(
        self,
        records: _AccountRecords,
        reading: ContractReading,
        engine: Engine,
        *,
        orders: tuple[Logged, ...] | None = None,
        closed: Closed | None = None,
    ) -> None:
        self._records = records
        self._orders = orders
        self.reading = reading
        self.engine = engine
        self.closed = closed

    @classmethod
    def of(cls, client: Client, reading: ContractReading, engine: Engine = "embedded") -> AccountView:
        """The account of a contract, as of now."""
        return cls(_AccountRecords(client, reading.contract.account, {}), reading, engine)

    @property
    def client(self) -> Client:
        """The store that the records are read from."""
        return self._records.client

    @property
    def contract(self) -> Contract:
        """The contract that the account is read under."""
        return self.reading.contract

    @property
    def account(self) -> str:
        """The account's name."""
        return self._records.account

    @property
    def log(self) -> tuple[Logged, ...]:
        """Every command in log order, repetitions and conflicts included; also in a view as of a close."""
        return self._records.log

    @property
    def orders(self) -> tuple[Logged, ...]:
        """The commands that the account is read after, in log order, the first of each id."""
        return self._records.orders if self._orders is None else self._orders

    @property
    def closes(self) -> Closes:
        """The closed quarters of the whole log, and the closes that changed nothing."""
        return self._records.closes

    @property
    def postings(self) -> tuple[Posting, ...]:
        """The postings of the ledger's log in log order, void ones too."""
        return self._records.postings

    @property
    def ledger(self) -> Ledger:
        """The token ledger as it is stored now."""
        return self._records.ledger

    @property
    def complete_until(self) -> int | None:
        """Up to when evidence is complete, ``None`` where nothing says."""
        return self._records.complete_until

    @property
    def contract_versions(self) -> tuple[ContractVersion, ...]:
        """Every stored version of the contract, in the order they were applied last; the last one is in force."""
        return self._records.contract_versions

    @cached_property
    def voids(self) -> tuple[VoidEntry, ...]:
        """The voids in force."""
        return voids_in_force(self.orders)

    @cached_property
    def people(self) -> People:
        """Who holds which seat, and which licences were taken offline."""
        return people_of(self.contract, self.orders)

    @cached_property
    def token_reading(self) -> TokenReading:
        """The contract ready to be asked what is charged in tokens, with the seats that its lists and orders gave."""
        return token_reading_of(self.reading, self.people)

    def stored_contract(self, content_hash: str = "") -> Contract | None:
        """The stored version of a content hash, the current one where none is named; ``None`` where there is none.

        Raises ``ContractInvalid`` where it no longer passes the check.
        """
        return self._records.contract(content_hash)

    def under(self, reading: ContractReading) -> AccountView:
        """The same account after the same orders, under another contract."""
        return AccountView(self._records, reading, self.engine, orders=self._orders)

    def after(self, orders: Sequence[Logged]) -> AccountView:
        """The same account under the same contract, after other orders: the first of each id, in log order."""
        return AccountView(self._records, self.reading, self.engine, orders=tuple(orders))

    def at_close(self, closed: Closed) -> AccountView:
        """What a quarter was closed with: the contract of the close, and the orders before it.

        Raises ``InputError`` where the store has lost that contract.
        """
        before = self._records.orders[: closed.position]
        reading = self.reading_of_close(closed)
        return AccountView(self._records, reading, self.engine, orders=before, closed=closed)

    def reading_of_close(self, closed: Closed) -> ContractReading:
        """The contract that a quarter was closed under. Raises ``InputError`` where the store has lost it."""
        content_hash = closed.close.contract
        if content_hash == self.contract.content_hash:
            return self.reading
        contract = self.stored_contract(content_hash)
        if contract is None:
            reason = f"does not hold the contract {content_hash[:19]}… that {closed.period.name} was closed under"
            raise InputError("the store", reason, "Apply that version again, then the one in force")
        return ContractReading(contract, metering_catalogue())

    def of_quarter(self, period: Period) -> AccountView:
        """What a quarter is read under: a closed one as of its close, an open one as of this view.

        Raises ``InputError`` where the store has lost the contract of the close.
        """
        closed = self.closes.quarters.get(period.name)
        return self if closed is None else self.at_close(closed)

    def continued(self, *, command: Logged | None = None, postings: Sequence[Posting] = ()) -> AccountView:
        """The account after what this process has just stored, under the same contract.

        Only where no other process writes to the store: what the view has read of it still holds and is not read again.
        """
        return AccountView(self._records.followed_by(command, postings), self.reading, self.engine)

    def refreshed(self, client: Client | None = None) -> AccountView:
        """The account as the store has it by now, under the same contract: for what was written since.

        With ``client`` it is read from there on. Contracts are not read again.
        """
        records = _AccountRecords(client or self.client, self.account, self._records.contracts)
        return AccountView(records, self.reading, self.engine)


def open_account(client: Client, engine: Engine, account: str = "", contract: Contract | None = None) -> AccountView:
    """The view of an account under a contract; where none is given, under the stored one.

    Without an account it is the only one that the store holds a contract of. Raises ``InputError`` where there is no
    such contract, or it is another account's, and ``ContractInvalid`` where a stored one no longer passes the check.
    """
    if contract is not None:
        if account not in {"", contract.account}:
            reason = f"is {account}, but the contract that is given is of {contract.account}"
            raise InputError("--account", reason, "Leave one of the two out")
        return AccountView.of(client, ContractReading(contract, metering_catalogue()), engine)
    stored = stored_contract(client, account)
    if stored is None:
        raise no_contract(client, account)
    records = _AccountRecords(client, stored.account, {"": stored, stored.content_hash: stored})
    return AccountView(records, ContractReading(stored, metering_catalogue()), engine)
