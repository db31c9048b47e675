"""A statement as JSON, written and read back: what a close freezes (RULES 7)."""

from __future__ import annotations

from functools import cache
from typing import Final, Literal, TypedDict, cast

from pipeline.codec.json_schema import Validator, load_schema, strict_validator
from pipeline.codec.json_text import indented_json, parse_json
from pipeline.codec.statement.line_json import LineRecord, line_record, read_instant, read_line, read_money
from pipeline.model.contracts import EntitlementModel
from pipeline.model.instants import Period, iso
from pipeline.model.money import format_money
from pipeline.model.statements import Adjustment, AdjustmentKind, Basis, Statement, TokenBlock, VoidEntry

VERSION: Final = 1


class BasisRecord(TypedDict):
    """What a statement rests on."""

    complete_until: str | None
    heartbeats: int
    dead_letters: int
    contract: str
    seatbeat: str
    engine: Literal["embedded", "server"]


class TokensRecord(TypedDict):
    """The token ledger at the end of the period; all 0 without one."""

    granted: int
    debited: int
    expired: int
    balance: int


class AdjustmentRecord(TypedDict):
    """What a closed quarter's line comes to now, beyond what was frozen."""

    period: str
    kind: AdjustmentKind
    product: str
    country: str
    model: EntitlementModel
    before: str
    after: str
    amount: str


VoidRecord = TypedDict(
    "VoidRecord",
    {
        "id": str,
        "by": str,
        "at": str,
        "reason": str,
        "session": str,
        "product": str,
        "machine": str,
        "user": str,
        "from": str | None,
        "until": str | None,
    },
)
"""An exclusion in force."""

StatementRecord = TypedDict(
    "StatementRecord",
    {
        "v": int,
        "account": str,
        "period": str,
        "from": str,
        "until": str,
        "state": Literal["open", "closed"],
        "currency": str,
        "total": str,
        "adjustments_total": str,
        "basis": BasisRecord,
        "lines": list[LineRecord],
        "tokens": TokensRecord,
        "adjustments": list[AdjustmentRecord],
        "voids": list[VoidRecord],
    },
)
"""A statement as JSON has it."""


def statement_json(statement: Statement) -> bytes:
    """The statement as JSON, indented, with a line end."""
    currency = statement.currency
    record: StatementRecord = {
        "v": VERSION,
        "account": statement.account,
        "period": statement.period.name,
        "from": iso(statement.period.start_at),
        "until": iso(statement.period.end_at),
        "state": statement.state,
        "currency": currency,
        "total": format_money(statement.total, currency),
        "adjustments_total": format_money(statement.adjustments_total, currency),
        "basis": basis_record(statement.basis),
        "lines": [line_record(line, currency) for line in statement.lines],
        "tokens": _tokens_record(statement.tokens),
        "adjustments": [_adjustment_record(adjustment, currency) for adjustment in statement.adjustments],
        "voids": [_void_record(void) for void in statement.voids],
    }
    return indented_json(record)


def read_statement_json(text: bytes | str) -> Statement:
    """The statement that ``statement_json`` wrote. Raises ``ValueError`` for anything that the schema refuses.

    Instants are whole seconds in it, so a statement with finer ones is read back rounded down.
    """
    parsed = parse_json(text)
    for failure in _validator().iter_errors(parsed):
        raise ValueError(f"{failure.json_path}: {failure.message[:200]}")
    record = cast(StatementRecord, parsed)
    currency = record["currency"]
    return Statement(
        account=record["account"],
        period=Period.parse(record["period"]),
        currency=currency,
        lines=tuple(read_line(line, currency) for line in record["lines"]),
        basis=_read_basis(record["basis"]),
        state=record["state"],
        tokens=_read_tokens(record["tokens"]),
        adjustments=tuple(_read_adjustment(adjustment, currency) for adjustment in record["adjustments"]),
        voids=tuple(_read_void(void) for void in record["voids"]),
    )


def basis_record(basis: Basis) -> BasisRecord:
    """What a statement rests on, in the interface's names."""
    return {
        "complete_until": None if basis.complete_until is None else iso(basis.complete_until),
        "heartbeats": basis.heartbeats,
        "dead_letters": basis.dead_letters,
        "contract": basis.contract,
        "seatbeat": basis.seatbeat,
        "engine": basis.engine,
    }


def _read_basis(record: BasisRecord) -> Basis:
    complete_until = record["complete_until"]
    return Basis(
        complete_until=None if complete_until is None else read_instant(complete_until),
        heartbeats=record["heartbeats"],
        dead_letters=record["dead_letters"],
        contract=record["contract"],
        seatbeat=record["seatbeat"],
        engine=record["engine"],
    )


def _tokens_record(block: TokenBlock | None) -> TokensRecord:
    block = block or TokenBlock(0, 0, 0, 0)
    return {
        "granted": block.granted,
        "debited": block.debited,
        "expired": block.expired,
        "balance": block.balance,
    }


def _read_tokens(record: TokensRecord) -> TokenBlock | None:
    block = TokenBlock(record["granted"], record["debited"], record["expired"], record["balance"])
    return None if block == TokenBlock(0, 0, 0, 0) else block


def _adjustment_record(adjustment: Adjustment, currency: str) -> AdjustmentRecord:
    return {
        "period": adjustment.period,
        "kind": adjustment.kind,
        "product": adjustment.product,
        "country": adjustment.country,
        "model": adjustment.model,
        "before": format_money(adjustment.before, currency),
        "after": format_money(adjustment.after, currency),
        "amount": format_money(adjustment.amount, currency),
    }


def _read_adjustment(record: AdjustmentRecord, currency: str) -> Adjustment:
    return Adjustment(
        period=Period.parse(record["period"]).name,
        kind=record["kind"],
        product=record["product"],
        country=record["country"],
        model=record["model"],
        before=read_money(record["before"], currency),
        after=read_money(record["after"], currency),
    )


def _void_record(void: VoidEntry) -> VoidRecord:
    return {
        "id": void.id,
        "by": void.by,
        "at": iso(void.at),
        "reason": void.reason,
        "session": void.session,
        "product": void.product,
        "machine": void.machine,
        "user": void.user,
        "from": None if void.from_at is None else iso(void.from_at),
        "until": None if void.until_at is None else iso(void.until_at),
    }


def _read_void(record: VoidRecord) -> VoidEntry:
    from_text, until_text = record["from"], record["until"]
    return VoidEntry(
        id=record["id"],
        by=record["by"],
        at=read_instant(record["at"]),
        reason=record["reason"],
        session=record["session"],
        product=record["product"],
        machine=record["machine"],
        user=record["user"],
        from_at=None if from_text is None else read_instant(from_text),
        until_at=None if until_text is None else read_instant(until_text),
    )


@cache
def _validator() -> Validator:
    return strict_validator(load_schema("statement.v1.schema.json"))
