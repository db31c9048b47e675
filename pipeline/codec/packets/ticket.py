"""The ticket ready to paste: category, subject, reasons with figures, attachments (RULES 7, Dispute packet).

Categories stay in English, as the vendor's form has them; the rest is in the language asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from pipeline.codec.packets.language import Language, clock
from pipeline.model.instants import MINUTE_MS
from pipeline.rules.dispute.packet import Evidence, Packet, WhatIf
from pipeline.rules.pool.overused_slots import OverusedSlot

CATEGORY: Final = "Invoice"
"""In the vendor's form."""
SUBCATEGORIES: Final = {"cancellation": "Request cancellation", "goodwill": "Goodwill request"}
"""In the vendor's form, by what the ticket asks for."""
ATTACHMENTS: Final = {
    "attached_page": "packet.html",
    "attached_evidence": "evidence.csv",
    "attached_packet": "packet.json",
}
"""The text that describes each attachment, and its file."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is typed into the vendor's form. ``body`` is paragraphs; those that begin with a dash are lists."""

    category: str
    subcategory: str
    subject: str
    body: tuple[str, ...]
    attachments: tuple[str, ...]

    @property
    def text(self) -> str:
        """The body as plain text."""
        return "\n\n".join(self.body)


def ticket_of(packet: Packet, words: Language) -> Ticket:
    """The ticket of a packet in a language."""
    subject = words.say(
        f"subject_{packet.subcategory}",
        invoice=_invoice(packet, words),
        product=product_of(packet),
        quarter=words.quarter(packet.period.name),
    )
    return Ticket(
        category=_in_english(CATEGORY, words.say("in_english_invoice")),
        subcategory=_in_english(SUBCATEGORIES[packet.subcategory], words.say(f"in_english_{packet.subcategory}")),
        subject=subject,
        body=tuple(_body(packet, words)),
        attachments=tuple(ATTACHMENTS.values()),
    )


def ticket_text(ticket: Ticket, words: Language) -> str:
    """The ticket as plain text: the form's fields, then the body."""
    colon = "\u00a0:" if words.tongue == "fr" else ":"
    fields = {"category": ticket.category, "subcategory": ticket.subcategory, "subject": ticket.subject}
    head = "\n".join(f"{words.say(name)}{colon} {value}" for name, value in fields.items())
    return f"{head}\n\n{ticket.text}\n"


def product_of(packet: Packet) -> str:
    """A product as people call it, with its code."""
    code = packet.line.product
    return f"{packet.product_name} ({code})" if packet.product_name not in {"", code} else code


def _in_english(term: str, translated: str) -> str:
    return f"{term} ({translated})" if translated else term


def _invoice(packet: Packet, words: Language) -> str:
    return packet.invoice or words.say("invoice_missing")


def _body(packet: Packet, words: Language) -> Iterator[str]:
    yield words.say("greeting")
    yield " ".join(_charge(packet, words))
    yield " ".join(_what_happened(packet, words))
    yield words.say("reasons") + "\n" + "\n".join(f"- {reason}" for reason in _reasons(packet, words))
    credit = words.say("credit_clause", claimed=words.money(packet.claimed, packet.currency)) if packet.claimed else ""
    yield words.say(f"request_{packet.subcategory}", credit=credit)
    yield words.say("attachments") + "\n" + "\n".join(f"- {words.say(name)}" for name in ATTACHMENTS)
    if packet.pseudonyms:
        yield words.say("pseudonyms")
    yield f"{words.say('closing')}\n{packet.account}"


def _charge(packet: Packet, words: Language) -> Iterator[str]:
    line, period = packet.line, packet.period
    yield words.say(
        "charged",
        invoice=_invoice(packet, words),
        product=product_of(packet),
        country=line.country,
        quarter=words.quarter(period.name),
        first=words.date(period.start_at),
        last=words.date(period.end_at - 1),
    )
    amount = "" if line.amount is None else words.say("amount_clause", amount=words.money(line.amount, packet.currency))
    yield words.say("due", line.term_licenses, amount=amount)


def _what_happened(packet: Packet, words: Language) -> Iterator[str]:
    highest = highest_overuse(packet)
    if packet.kind == "over_pool":
        yield words.say("entitled", highest.entitled)
    else:
        yield words.say("unlicensed")
    yield words.say(
        "exceeded" if packet.kind == "over_pool" else "unlicensed_use",
        days=words.say("days", packet.line.overuse_days),
        slots=words.say("slots", len(packet.overused), minutes=words.number(slot_minutes(highest))),
        overuse=words.number(highest.overuse),
        date=words.date(highest.slot_at),
        time=clock(highest.slot_at),
    )
    other_days = packet.use_days - packet.line.overuse_days
    if packet.kind == "over_pool" and other_days:
        yield words.say("sufficed", other_days)
    yield words.say("listed", len(packet.evidence), **_whose(packet.evidence, words))


def _reasons(packet: Packet, words: Language) -> Iterator[str]:
    given = [what_if for what_if in packet.alone if what_if.sessions]
    for what_if in given:
        flag = what_if.flags[0]
        whose = _whose([evidence for evidence in packet.evidence if flag in evidence.flags], words)
        yield f"{words.say(f'reason_{flag}', what_if.sessions, **whose)} {_without(packet, what_if, words)}"
    if len(given) > 1:
        together = words.say("together", packet.flagged, total=words.number(len(packet.evidence)))
        yield f"{together} {_without(packet, packet.together, words)}"
    if not given:
        yield words.say("no_flags")


def _whose(evidence: Collection[Evidence], words: Language) -> dict[str, str]:
    keys = [row.session.key for row in evidence]
    return {
        "users": words.say("users", len({key.user for key in keys})),
        "machines": words.say("machines", len({key.machine for key in keys})),
    }


def _without(packet: Packet, what_if: WhatIf, words: Language) -> str:
    if what_if.line.term_licenses == packet.line.term_licenses:
        return words.say("without_same")
    less = ""
    if what_if.line.amount is not None and packet.line.amount is not None:
        difference = words.money(packet.line.amount - what_if.line.amount, packet.currency)
        less = words.say("less_clause", difference=difference)
    if what_if.line.term_licenses == 0:
        return words.say("without_nothing", less=less)
    return words.say("without", what_if.line.term_licenses, less=less)


def highest_overuse(packet: Packet) -> OverusedSlot:
    """The first slot with the highest over-use."""
    return max(packet.overused, key=lambda slot: (slot.overuse, -slot.slot_at))


def slot_minutes(slot: OverusedSlot) -> int:
    """How long a slot is."""
    return (slot.until_at - slot.slot_at) // MINUTE_MS
