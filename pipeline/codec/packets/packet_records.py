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
from pipeline.rules.dispute.flags import FLAGS
from pipeline.rules.dispute.packet import DaySeries, Evidence, Packet, WhatIf
from pipeline.rules.evidence.lengths import active_ms, open_ms
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
            "overused_slots": [_slot(slot) for slot in packet.overused],
            "what_ifs": [_what_if(packet, what_if) for what_if in (*packet.alone, packet.together)],
            "evidence": [evidence_record(evidence) for evidence in packet.evidence],
            "days": [_day(series) for series in packet.days],
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


def evidence_record(evidence: Evidence) -> dict[str, object]:
    """A session that counts in over-used slots, under the names of ``EVIDENCE_COLUMNS``."""
    session = evidence.session
    return {
        "user": session.key.user,
        "machine": session.key.machine,
        "session": session.key.session,
        "reported_product": session.key.product,
        "opened_at": iso(session.opened_at),
        "last_at": iso(session.last_at),
        "open_s": open_ms(session) // SECOND_MS,
        "active_s": active_ms(session) // SECOND_MS,
        "used_slots": sum(mask.bit_count() for mask in session.used_slots.values()),
        "overused_slots": [iso(at) for at in evidence.slots],
        "flags": [str(flag) for flag in evidence.flags],
    }


def _slot(slot: OverusedSlot) -> dict[str, object]:
    return {
        "slot": iso(slot.slot_at),
        "until": iso(slot.until_at),
        "count": slot.count,
        "entitled": slot.entitled,
        "overuse": slot.overuse,
    }


def _what_if(packet: Packet, what_if: WhatIf) -> dict[str, object]:
    line, currency = what_if.line, packet.currency
    difference = None if line.amount is None or packet.line.amount is None else packet.line.amount - line.amount
    return {
        "without": "all" if what_if.flags == FLAGS else what_if.flags[0],
        "sessions": what_if.sessions,
        "peak": line.peak,
        "overuse": line.overuse,
        "overuse_days": line.overuse_days,
        "term_licenses": line.term_licenses,
        "amount": None if line.amount is None else format_money(line.amount, currency),
        "difference": None if difference is None else format_money(difference, currency),
    }


def _day(series: DaySeries) -> dict[str, object]:
    return {
        "day": calendar_day(series.day).isoformat(),
        "slot_s": series.slot_ms // SECOND_MS,
        "entitled": series.entitled,
        "counts": list(series.counts),
    }
