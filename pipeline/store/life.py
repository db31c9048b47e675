"""A statement's life (RULES 7): open with its adjustments, closed as it was frozen.

Every reader of statements asks here. Nothing is kept but the commands: what is frozen stands in the closes, and what
is open is computed anew, under the contract given and after the commands of the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.codec.statement_reading import read_statement_json
from pipeline.model.commands import Logged, Unvoid, Void
from pipeline.model.errors import InputError
from pipeline.model.instants import Period
from pipeline.model.statement import Line, Statement
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.adjustments import Amounts, Recomputed, adjustments, at_billed_prices
from pipeline.rules.closes import Closed, Closes, billed_since, read_closes
from pipeline.rules.credits import granted
from pipeline.rules.reading import ContractReading
from pipeline.store.client import Client
from pipeline.store.commands import read_first_commands
from pipeline.store.contracts import stored_contract
from pipeline.store.statements import read_lines, read_statement
from pipeline.store.tokens import with_tokens

Engine = Literal["embedded", "server"]


def read_life(client: Client, account: str) -> Closes:
    """The closed quarters of an account."""
    return read_closes(read_first_commands(client, account), read_statement_json)


def current_statement(
    client: Client, reading: ContractReading, period: Period, *, seatbeat: str, engine: Engine, now: int
) -> Statement:
    """The statement of a quarter: as it was frozen where it is closed, else what is known now.

    Raises ``BeforeFirstRow``, and ``InputError`` where closed quarters cannot be read under this contract.
    """
    closed = read_life(client, reading.contract.account).quarters.get(period.name)
    if closed is not None:
        return closed.statement
    return open_statement(client, reading, period, seatbeat=seatbeat, engine=engine, now=now)


def open_statement(
    client: Client, reading: ContractReading, period: Period, *, seatbeat: str, engine: Engine, now: int
) -> Statement:
    """A quarter recomputed from the facts; its adjustments if it is not closed, and its tokens as at ``now``.

    Raises as ``current_statement`` does.
    """
    logged = read_first_commands(client, reading.contract.account)
    computed = read_statement(client, reading, period, seatbeat=seatbeat, engine=engine, logged=logged)
    computed = with_tokens(computed, client, reading, now=now, logged=logged)
    closed = read_closes(logged, read_statement_json).quarters
    for name, one in closed.items():
        if one.statement.currency != computed.currency:
            reason = f"counts in {computed.currency}, but {name} was closed in {one.statement.currency}"
            raise InputError("the contract", reason, "Keep the currency, and have another account for another one")
    past = _Past(client, reading, logged, closed, granted(logged))
    frozen = {name: one.statement for name, one in closed.items()}
    return replace(computed, adjustments=adjustments(frozen, period, past.recompute))


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a quarter is explained by: a statement, and the contract and commands from which its lines follow.

    ``frozen`` is the statement as the quarter was closed with it, ``None`` while it is open. ``statement`` is that, or
    where evidence came after the close what it is now under all that was known then, so that lines and evidence agree.
    """

    reading: ContractReading
    logged: tuple[Logged, ...]
    statement: Statement
    frozen: Statement | None = None


def read_grounds(client: Client, reading: ContractReading, period: Period, *, seatbeat: str, engine: Engine) -> Grounds:
    """The grounds of a quarter: of a closed one its own contract and the commands before the close.

    Raises as ``current_statement`` does.
    """
    logged = read_first_commands(client, reading.contract.account)
    closed = read_closes(logged, read_statement_json).quarters.get(period.name)
    if closed is None:
        return Grounds(
            reading, logged, read_statement(client, reading, period, seatbeat=seatbeat, engine=engine, logged=logged)
        )
    known, before = _reading_of(client, reading, closed), logged[: closed.position]
    now = read_statement(client, known, period, seatbeat=seatbeat, engine=engine, logged=before)
    same = now.pooled == closed.statement.pooled
    return Grounds(known, before, closed.statement if same else replace(now, state="closed"), closed.statement)


def _reading_of(client: Client, reading: ContractReading, closed: Closed) -> ContractReading:
    """The contract that a quarter was closed under. Raises ``InputError`` where the store has lost it."""
    if closed.close.contract == reading.contract.content_hash:
        return reading
    contract = stored_contract(client, closed.command.account, closed.close.contract)
    if contract is None:
        version = f"{closed.close.contract[:19]}…"
        reason = f"does not hold the contract {version} that {closed.period.name} was closed under"
        raise InputError("the store", reason, "Apply that version again, then the one in force")
    return ContractReading(contract, metering_catalogue())


@dataclass(frozen=True, slots=True)
class _Past:
    """Closed quarters, recomputed from today's evidence with more and more of what is known today."""

    client: Client
    reading: ContractReading
    logged: Sequence[Logged]
    closed: Mapping[str, Closed]
    granted: Mapping[str, Amounts]

    def recompute(self, statement: Statement) -> Recomputed:
        one, period = self.closed[statement.period.name], statement.period
        known = _reading_of(self.client, self.reading, one)
        before, after = self.logged[: one.position], self.logged[one.position :]
        voids = tuple(later for later in after if isinstance(later.command.order, Void | Unvoid))
        as_closed = self._lines(known, period, before)
        with_voids = self._lines(known, period, (*before, *voids)) if voids else as_closed
        is_as_known = known is self.reading and len(after) == len(voids)
        return Recomputed(
            as_closed=as_closed,
            with_voids=with_voids,
            with_contract=with_voids if is_as_known else self._lines(self._today(one), period, self.logged),
            granted=self.granted.get(period.name, {}),
        )

    def _today(self, closed: Closed) -> ContractReading:
        """Today's contract, with the prices that the quarter was closed with, or that closes since have billed."""
        billed = [_reading_of(self.client, self.reading, one).contract for one in billed_since(closed, self.closed)]
        return ContractReading(at_billed_prices(self.reading.contract, billed), metering_catalogue())

    def _lines(self, reading: ContractReading, period: Period, logged: Sequence[Logged]) -> tuple[Line, ...]:
        return read_lines(self.client, reading, period, logged)
