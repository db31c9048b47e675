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
from pipeline.rules.explain.seat_explanation import Person, SeatLineExplanation
from pipeline.rules.explain.seat_use import SessionUse, SlotsByStep
from pipeline.rules.explain.uncounted import because

VERSION: Final = 1
SLOTS_SHOWN_MAX: Final = 100
"""How many slots of a session are listed, the first ones; the count is of all."""
OPENING_SLOT_ALONE: Final = "used no slot beyond the one in which it was opened"
"""Why a session counts nowhere that used its opening slot only."""
LineExplanationRecord = dict[str, object]
"""A part of the record whose schema is ``schemas/line-explanation.v1.schema.json``."""


def why(use: UncountedOfDay) -> str:
    """Why a session counts in no slot of a day, for the person who pays."""
    if use.uncounted.reason == "opening_slot":
        return OPENING_SLOT_ALONE
    return because(use.uncounted, use.policy)


def line_explanation_json(explained: Sequence[ExplainedLine], read_under: Mapping[str, str | None]) -> bytes:
    """Explanations of one or several lines as JSON, indented, with a line end.

    The record is that of the first pooled line, without a pooled line that of the first; ``others`` are the rest.
    ``read_under`` says as of when, or of which close, they are read.
    """
    first, *others = sorted(explained, key=lambda line: not isinstance(line, LineExplanation))
    rest = [{**line_explanation(line), **read_under} for line in others]
    record = {**line_explanation(first), **read_under, "others": rest}
    return indented_json(record)


def line_explanation(explained: ExplainedLine) -> LineExplanationRecord:
    """A line taken apart."""
    head: LineExplanationRecord = {
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
            return head | {"people": [_person(person, explained.line) for person in explained.people]}
        case FlexLineExplanation():
            return head | {
                "charges": [charge_record(charge) for charge in explained.charges],
                "waiting": [charge_record(charge) for charge in explained.waiting],
                "free": [free_record(connection) for connection in explained.free],
            }


def _pooled(explained: LineExplanation) -> LineExplanationRecord:
    return {
        "tolerance_days": explained.tolerance_days,
        "days": [
            {
                "day": calendar_day(day).isoformat(),
                "overuse": max(slot.overuse for slot in slots),
                "slots": [
                    {
                        "slot": iso(slot.slot_at), "until": iso(slot.until_at), "count": slot.count,
                        "entitled": slot.entitled, "overuse": slot.overuse,
                    }
                    for slot in slots
                ],
            }
            for day, slots in explained.overused.items()
        ],
        "slots": [explanation_record(slot) for slot in explained.apart],
        "uncounted": [
            {
                "day": calendar_day(use.day).isoformat(),
                "reason": use.uncounted.reason,
                "because": why(use),
                "covered_by": use.uncounted.covered_by,
                "session": session_record(use.uncounted.session, explained.line.product, explained.line.country),
            }
            for use in explained.uncounted
        ],
    }  # fmt: skip


def _person(person: Person, line: Line) -> LineExplanationRecord:
    return {
        "user": person.user,
        "holds_seat": person.holds,
        "covered": [{"from": iso(from_at), "until": iso(until_at)} for from_at, until_at in person.covered],
        "assigned": [
            {
                "at": iso(held.from_at),
                "until": None if held.until_at is None else iso(held.until_at),
                "locked_until": iso(held.locked_until) if held.model == "practitioner" else None,
            }
            for held in person.assigned
        ],
        "taken_at": None if person.taken_at is None else iso(person.taken_at),
        "shared_with": list(person.shared_with),
        "sessions": [
            {
                "session": session_record(use.session, line.product, line.country),
                "counted": _counted(use.slots),
                "reason": None if use.uncounted is None else use.uncounted.reason,
                "because": why_nowhere(use),
            }
            for use in person.sessions
        ],
        "checkouts": [
            {"checkout": checkout_record(use.taken), "counted": _counted(use.slots)} for use in person.checkouts
        ],
    }


def why_nowhere(use: SessionUse) -> str | None:
    """Why a session on a seat line counts nowhere, for the person who pays; ``None`` where it counts."""
    if use.uncounted is None:
        return None
    if use.uncounted.reason == "opening_slot":
        return OPENING_SLOT_ALONE
    return because(use.uncounted, use.policy)


def _counted(slots: SlotsByStep) -> list[LineExplanationRecord]:
    return [
        {"by": place, "count": len(starts), "slots": [iso(at) for at in starts[:SLOTS_SHOWN_MAX]]}
        for place, starts in slots.items()
    ]
