"""A statement's life (RULES 7): open with its adjustments, closed as it was frozen.

Every reader of statements asks here. Nothing is kept but the commands: what is frozen stands in the closes, and what
is open is computed anew, under the contract given and after the commands of the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipeline.application.quarter_counts import read_lines, read_statement
from pipeline.application.token_settlement import with_tokens
from pipeline.codec.statement.line_json import line_record
from pipeline.codec.statement.statement_json import read_statement_json
from pipeline.model.errors import InputError
from pipeline.model.instants import Period
from pipeline.model.orders import Logged, Unvoid, Void
from pipeline.model.statements import Line, Statement
from pipeline.policy.catalogue import metering_catalogue
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.statement.adjustments import Amounts, Recomputed, adjustments, at_billed_prices
from pipeline.rules.statement.closes import Closed, Closes, billed_since, read_closes
from pipeline.rules.statement.credits import granted
from pipeline.store.client import Client
from pipeline.store.contract_versions import stored_contract
from pipeline.store.order_log import read_first_commands

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
class Known:
    """The contract and the commands that use is read under; ``closed`` is the close they are of, if not today's."""

    reading: ContractReading
    logged: tuple[Logged, ...]
    closed: Closed | None = None


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a quarter is explained by: a statement, and the contract and commands from which its lines follow.

    ``frozen`` is the statement as the quarter was closed with it, ``None`` while it is open. ``statement`` is that, or
    where evidence came after the close what it is now under all that was known then, so that lines and evidence agree.
    """

    known: Known
    statement: Statement

    @property
    def reading(self) -> ContractReading:
        return self.known.reading

    @property
    def logged(self) -> tuple[Logged, ...]:
        return self.known.logged

    @property
    def frozen(self) -> Statement | None:
        return None if self.known.closed is None else self.known.closed.statement


def read_known(client: Client, reading: ContractReading) -> tuple[Known, tuple[tuple[Period, Known], ...]]:
    """What use is read under now, and the closed quarters, in order of time, each with what it was closed with.

    Raises ``InputError`` where the store has lost the contract of a close.
    """
    logged = read_first_commands(client, reading.contract.account)
    closes = read_closes(logged, read_statement_json).quarters.values()
    return Known(reading, logged), tuple((one.period, _known_then(client, reading, logged, one)) for one in closes)


def read_known_of(client: Client, reading: ContractReading, period: Period) -> Known:
    """What a quarter is read under: of a closed one its own contract and the commands before the close.

    Raises ``InputError`` where the store has lost that contract.
    """
    logged = read_first_commands(client, reading.contract.account)
    closed = read_closes(logged, read_statement_json).quarters.get(period.name)
    return Known(reading, logged) if closed is None else _known_then(client, reading, logged, closed)


def _known_then(client: Client, reading: ContractReading, logged: tuple[Logged, ...], closed: Closed) -> Known:
    """What was known when a quarter was closed."""
    return Known(_reading_of(client, reading, closed), logged[: closed.position], closed)


def read_grounds(client: Client, known: Known, period: Period, *, seatbeat: str, engine: Engine) -> Grounds:
    """The grounds of a quarter, with the flex lines of all that is settled by now.

    Raises ``BeforeFirstRow``.
    """
    now = read_statement(client, known.reading, period, seatbeat=seatbeat, engine=engine, logged=known.logged)
    now = with_tokens(now, client, known.reading, now=period.end_at, logged=known.logged)
    if known.closed is None:
        return Grounds(known, now)
    frozen = known.closed.statement
    same = _told(now) == _told(frozen)
    return Grounds(known, frozen if same else replace(now, state="closed"))


def _told(statement: Statement) -> list[object]:
    """The lines as statements write them: what was frozen is read back from that."""
    return [line_record(line, statement.currency) for line in statement.lines]


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
