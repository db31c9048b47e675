"""A line taken apart, as a record for programs (``schemas/line-explanation.v1.schema.json``)."""

from __future__ import annotations

from typing import Final

import orjson

from pipeline.codec.session_reports import explanation_record, session_record
from pipeline.codec.statements import line_record
from pipeline.model.instants import calendar_day, iso
from pipeline.rules.explain import because
from pipeline.rules.explain_line import LineExplanation, UncountedOfDay

VERSION: Final = 1


def why(one: UncountedOfDay) -> str:
    """Why a session counts in no slot of a day, for the person who pays."""
    if one.uncounted.reason == "opening_slot":
        return "used no slot beyond the one in which it was opened"
    return because(one.uncounted, one.policy)


def line_explanation_json(explained: LineExplanation) -> bytes:
    """The explanation as JSON, indented, with a line end."""
    return orjson.dumps(
        {
            "v": VERSION,
            "account": explained.account,
            "period": explained.period.name,
            "currency": explained.currency,
            "line": line_record(explained.line, explained.currency),
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
        },
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )  # fmt: skip
