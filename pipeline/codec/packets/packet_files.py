"""A packet in the form of each file that goes with a ticket."""

from __future__ import annotations

from typing import Final, Literal

from pipeline.codec.packets.language import Language
from pipeline.codec.packets.packet_records import evidence_csv, packet_json
from pipeline.codec.packets.page import packet_html
from pipeline.codec.packets.ticket import ticket_of, ticket_text
from pipeline.rules.dispute.packet import Packet

Form = Literal["text", "json", "csv", "html"]
"""How a packet is written."""

NAMES: Final[dict[Form, str]] = {
    "text": "ticket.txt",
    "json": "packet.json",
    "csv": "evidence.csv",
    "html": "packet.html",
}
"""The file of each form, as the ticket names its attachments."""


def packet_bytes(packet: Packet, form: Form, words: Language) -> bytes:
    """The packet in a form, UTF-8."""
    ticket = ticket_of(packet, words)
    if form == "json":
        return packet_json(packet, ticket, words.tongue)
    if form == "csv":
        return evidence_csv(packet).encode()
    return (packet_html(packet, ticket, words) if form == "html" else ticket_text(ticket, words)).encode()
