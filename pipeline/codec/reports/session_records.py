"""Sessions and explanations as records for JSON and CSV: who, when, how long, and why."""

from __future__ import annotations

from typing import TypedDict

from pipeline.model.instants import SECOND_MS, iso
from pipeline.rules.evidence.lengths import active_ms, open_ms
from pipeline.rules.evidence.sessions import Session
from pipeline.rules.explain.slot_explanation import SlotExplanation
from pipeline.rules.explain.uncounted import because, covered_sentence
from pipeline.rules.people.checkouts import TakenOut


class SessionRecord(TypedDict):
    """A session. ``open_s`` is from its opening to its last evidence, in seconds; ``used_slots`` ten-minute slots."""

    product: str
    reported_product: str
    country: str
    usage: str
    user: str
    machine: str
    session: str
    opened_at: str
    last_at: str
    open_s: int
    used_slots: int
    active_s: int


def session_record(session: Session, product: str, country: str) -> SessionRecord:
    """A session under the product and country it counts for. ``active_s`` is the union of its stretches of activity."""
    return {
        "product": product,
        "reported_product": session.key.product,
        "country": country,
        "usage": session.key.usage,
        "user": session.key.user,
        "machine": session.key.machine,
        "session": session.key.session,
        "opened_at": iso(session.opened_at),
        "last_at": iso(session.last_at),
        "open_s": open_ms(session) // SECOND_MS,
        "used_slots": sum(mask.bit_count() for mask in session.used_slots.values()),
        "active_s": active_ms(session) // SECOND_MS,
    }


CheckoutRecord = TypedDict("CheckoutRecord", {"checkout": str, "user": str, "machine": str, "from": str, "until": str})
"""A licence taken offline, by the id of its order."""


class UnitRecord(TypedDict):
    """A machine that counts, by its sessions and by licences that are offline on it."""

    machine: str
    users: list[str]
    sessions: list[SessionRecord]
    checkouts: list[CheckoutRecord]


class UncountedRecord(TypedDict):
    """A session that does not count, and why; ``covered_by`` is the model of the seat where one covers it."""

    reason: str
    because: str
    covered_by: str | None
    session: SessionRecord


class CoveredCheckoutRecord(TypedDict):
    """A licence that is offline and covered by a seat of its user."""

    because: str
    covered_by: str
    checkout: CheckoutRecord


class ExplanationRecord(TypedDict):
    """A slot of a product taken apart: what counts in it and what does not."""

    product: str
    country: str
    slot: str
    until: str
    policy: str
    entitled: int
    count: int
    overuse: int
    units: list[UnitRecord]
    uncounted: list[UncountedRecord]
    covered_checkouts: list[CoveredCheckoutRecord]


def explanation_record(explained: SlotExplanation) -> ExplanationRecord:
    """An explanation as a record."""

    def record(session: Session) -> SessionRecord:
        return session_record(session, explained.product, explained.country)

    return {
        "product": explained.product,
        "country": explained.country,
        "slot": iso(explained.slot_at),
        "until": iso(explained.slot_at + explained.policy.slot_ms),
        "policy": explained.policy.id,
        "entitled": explained.entitled,
        "count": explained.count,
        "overuse": explained.overuse,
        "units": [
            {
                "machine": unit.machine,
                "users": sorted(
                    {*(session.key.user for session in unit.sessions), *(taken.user for taken in unit.checkouts)}
                ),
                "sessions": [record(session) for session in unit.sessions],
                "checkouts": [checkout_record(taken) for taken in unit.checkouts],
            }
            for unit in explained.units
        ],
        "uncounted": [
            {
                "reason": uncounted.reason,
                "because": because(uncounted, explained.policy),
                "covered_by": uncounted.covered_by,
                "session": record(uncounted.session),
            }
            for uncounted in explained.uncounted
        ],
        "covered_checkouts": [
            {
                "because": covered_sentence(covered.covered_by, covered.checkout.user),
                "covered_by": covered.covered_by,
                "checkout": checkout_record(covered.checkout),
            }
            for covered in explained.covered_checkouts
        ],
    }


def checkout_record(taken: TakenOut) -> CheckoutRecord:
    """A checkout by the id of its order."""
    return {
        "checkout": taken.id,
        "user": taken.user,
        "machine": taken.machine,
        "from": iso(taken.from_at),
        "until": iso(taken.until_at),
    }
