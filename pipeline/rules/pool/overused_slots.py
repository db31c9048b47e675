"""The over-used slots of a pool: more units counted than were entitled at the slot's start (RULES 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.pool.term_licenses import overuse


@dataclass(frozen=True, slots=True)
class OverusedSlot:
    """A slot ``[slot_at, until_at)`` in which more units counted than were entitled at its start."""

    slot_at: int
    until_at: int
    count: int
    entitled: int

    @property
    def overuse(self) -> int:
        """The units beyond what was entitled."""
        return overuse(self.count, self.entitled)


def overused_slots(
    reading: ContractReading, product: str, country: str, counts: Mapping[int, int]
) -> tuple[OverusedSlot, ...]:
    """The over-used slots of a pool, ascending. ``counts`` are its units by slot."""
    slots = []
    for slot_at, count in sorted(counts.items()):
        entitled = reading.entitled_at(product, country, slot_at)
        if overuse(count, entitled):
            until_at = slot_at + reading.policy_at(product, country, slot_at).slot_ms
            slots.append(OverusedSlot(slot_at, until_at, count, entitled))
    return tuple(slots)
