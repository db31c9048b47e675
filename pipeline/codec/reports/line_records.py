"""Lines taken apart, as a record for programs (``schemas/line-explanation.v1.schema.json``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.codec.json_text import indented_json
from pipeline.codec.reports.session_records import checkout_record, explanation_record, session_record
from pipeline.codec.reports.token_records import charge_record, free_record
from pipeline.codec.statement.line_json import line_record
from pipeline.model.instants import calendar_day, iso
from pipeline.model.statements import Line
from pipeline.rules.explain.flex_explanation import FlexLineExplanation
from pipeline.rules.explain.line_explanation import ExplainedLine, LineExplanation, UncountedOfDay
from pipeline.rules.explain.seat_explanation import Person, SeatLineExplanation, SessionUse, Slots
from pipeline.rules.explain.slot_explanation import because

VERSION: Final = 1
SLOTS_SHOWN_MAX: Final = 100
"""Slots of a session that are named, the first ones; all are counted."""
OPENING_SLOT_ALONE: Final = "used no slot beyond the one in which it was opened"
Record = dict[str, object]


def why(one: UncountedOfDay) -> str:
    """Why a session counts in no slot of a day, for the person who pays."""
    if one.uncounted.reason == "opening_slot":
        return OPENING_SLOT_ALONE
    return because(one.uncounted, one.policy)


def line_explanation_json(explained: Sequence[ExplainedLine], known: Mapping[str, str | None]) -> bytes:
    """Explanations of one or several lines as JSON, indented, with a line end.

    The record is that of the first pooled line, of the first line where none is pooled; ``others`` are the rest.
    ``known`` is what they are read under.
    """
    first, *others = sorted(explained, key=lambda one: not isinstance(one, LineExplanation))
    record = {**line_explanation(first), **known, "others": [{**line_explanation(one), **known} for one in others]}
    return indented_json(record)


def line_explanation(explained: ExplainedLine) -> Record:
    """One line taken apart."""
    head: Record = {
        "v": VERSION,
        "account": explained.account,
        "period": explained.period.name,
        "currency": explained.currency,
        "line": line_record(explained.line, explained.currency),
    }
    match explained:
        case LineExplanation():
            return head | _pooled(explained)
        case SeatLineExplanation():
            return head | {"people": [_person(one, explained.line) for one in explained.people]}
        case FlexLineExplanation():
            return head | {
                "charges": [charge_record(one) for one in explained.charges],
                "waiting": [charge_record(one) for one in explained.waiting],
                "free": [free_record(one) for one in explained.free],
            }


def _pooled(explained: LineExplanation) -> Record:
    return {
        "tolerance_days": explained.tolerance_days,
        "days": [
            {
                "day": calendar_day(day).isoformat(),
                "overuse": max(one.overuse for one in found),
                "slots": [
                    {
                        "slot": iso(one.slot_at), "until": iso(one.until_at), "count": one.count,
                        "entitled": one.entitled, "overuse": one.overuse,
                    }
                    for one in found
                ],
            }
            for day, found in explained.overused.items()
        ],
        "slots": [explanation_record(one) for one in explained.apart],
        "uncounted": [
            {
                "day": calendar_day(one.day).isoformat(),
                "reason": one.uncounted.reason,
                "because": why(one),
                "covered_by": one.uncounted.covered_by,
                "session": session_record(one.uncounted.session, explained.line.product, explained.line.country),
            }
            for one in explained.uncounted
        ],
    }  # fmt: skip


def _person(one: Person, line: Line) -> Record:
    return {
        "user": one.user,
        "holds_seat": one.holds,
        "covered": [{"from": iso(from_at), "until": iso(until_at)} for from_at, until_at in one.covered],
        "assigned": [
            {
                "at": iso(held.from_at),
                "until": None if held.until_at is None else iso(held.until_at),
                "locked_until": iso(held.locked_until) if held.model == "practitioner" else None,
            }
            for held in one.assigned
        ],
        "taken_at": None if one.taken_at is None else iso(one.taken_at),
        "shared_with": list(one.shared_with),
        "sessions": [
            {
                "session": session_record(use.session, line.product, line.country),
                "counted": _counted(use.slots),
                "reason": None if use.uncounted is None else use.uncounted.reason,
                "because": why_nowhere(use),
            }
            for use in one.sessions
        ],
        "checkouts": [
            {"checkout": checkout_record(use.taken), "counted": _counted(use.slots)} for use in one.checkouts
        ],
    }


def why_nowhere(use: SessionUse) -> str | None:
    """Why a session of somebody counts nowhere, for the person who pays; ``None`` where it does."""
    if use.uncounted is None:
        return None
    if use.uncounted.reason == "opening_slot":
        return OPENING_SLOT_ALONE
    return because(use.uncounted, use.policy)


def _counted(slots: Slots) -> list[Record]:
    return [
        {"by": place, "count": len(starts), "slots": [iso(at) for at in starts[:SLOTS_SHOWN_MAX]]}
        for place, starts in slots.items()
    ]
