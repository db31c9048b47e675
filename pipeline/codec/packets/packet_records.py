"""A packet as JSON and its evidence as CSV (``schemas/dispute.v1.schema.json``)."""

from __future__ import annotations

from typing import Final

from pipeline.codec.csv_text import csv_text
from pipeline.codec.json_text import indented_json
from pipeline.codec.packets.ticket import Ticket
from pipeline.codec.statement.line_json import line_record
from pipeline.codec.statement.statement_json import basis_record
from pipeline.model.instants import SECOND_MS, calendar_day, iso
from pipeline.model.money import format_money
from pipeline.rules.dispute.flags import FLAGS, activity_ms
from pipeline.rules.dispute.packet import DaySeries, Evidence, Packet, WhatIf
from pipeline.rules.pool.overused_slots import OverusedSlot

VERSION: Final = 1

EVIDENCE_COLUMNS: Final = (
    "user", "machine", "session", "reported_product", "opened_at", "last_at", "open_s", "active_s", "used_slots",
    "overused_slots", "flags",
)  # fmt: skip
"""An evidence row. ``open_s`` and ``active_s`` are seconds, ``used_slots`` how many ten-minute slots it used in all."""


def packet_json(packet: Packet, ticket: Ticket, language: str) -> bytes:
    """The packet as JSON, indented, with a line end."""
    currency = packet.currency
    return indented_json(
        {
            "v": VERSION,
            "account": packet.account,
            "period": packet.period.name,
            "from": iso(packet.period.start_at),
            "until": iso(packet.period.end_at),
            "currency": currency,
            "invoice": packet.invoice or None,
            "kind": packet.kind,
            "product_name": packet.product_name,
            "line": line_record(packet.line, currency),
            "claimed": None if packet.claimed is None else format_money(packet.claimed, currency),
            "pseudonyms": packet.pseudonyms,
            "use_days": packet.use_days,
            "overused_slots": [_slot(one) for one in packet.overused],
            "what_ifs": [_what_if(packet, one) for one in (*packet.alone, packet.together)],
            "evidence": [evidence_record(one) for one in packet.evidence],
            "days": [_day(one) for one in packet.days],
            "ticket": {
                "language": language,
                "category": ticket.category,
                "subcategory": ticket.subcategory,
                "asks_for": packet.subcategory,
                "subject": ticket.subject,
                "body": ticket.text,
                "attachments": list(ticket.attachments),
            },
            "statement": {"state": packet.state, "basis": basis_record(packet.basis)},
        }
    )


def evidence_csv(packet: Packet) -> str:
    """One row per session; lists are joined by spaces, and no cell is a formula."""
    return csv_text(EVIDENCE_COLUMNS, map(evidence_record, packet.evidence))


def evidence_record(one: Evidence) -> dict[str, object]:
    """A session that counts in over-used slots, under the names of ``EVIDENCE_COLUMNS``."""
    session = one.session
    return {
        "user": session.key.user,
        "machine": session.key.machine,
        "session": session.key.session,
        "reported_product": session.key.product,
        "opened_at": iso(session.opened_at),
        "last_at": iso(session.last_at),
        "open_s": (session.last_at - session.opened_at) // SECOND_MS,
        "active_s": activity_ms(session) // SECOND_MS,
        "used_slots": sum(mask.bit_count() for mask in session.used_slots.values()),
        "overused_slots": [iso(at) for at in one.slots],
        "flags": [str(flag) for flag in one.flags],
    }


def _slot(one: OverusedSlot) -> dict[str, object]:
    return {
        "slot": iso(one.slot_at),
        "until": iso(one.until_at),
        "count": one.count,
        "entitled": one.entitled,
        "overuse": one.overuse,
    }


def _what_if(packet: Packet, one: WhatIf) -> dict[str, object]:
    line, currency = one.line, packet.currency
    difference = None if line.amount is None or packet.line.amount is None else packet.line.amount - line.amount
    return {
        "without": "all" if one.flags == FLAGS else one.flags[0],
        "sessions": one.sessions,
        "peak": line.peak,
        "overuse": line.overuse,
        "overuse_days": line.overuse_days,
        "term_licenses": line.term_licenses,
        "amount": None if line.amount is None else format_money(line.amount, currency),
        "difference": None if difference is None else format_money(difference, currency),
    }


def _day(one: DaySeries) -> dict[str, object]:
    return {
        "day": calendar_day(one.day).isoformat(),
        "slot_s": one.slot_ms // SECOND_MS,
        "entitled": one.entitled,
        "counts": list(one.counts),
    }
