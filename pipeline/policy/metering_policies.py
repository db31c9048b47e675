"""Metering policies: how use becomes counts (RULES 2 and 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipeline.model.contracts import CustomPolicy, Unit
from pipeline.model.instants import iso_date
from pipeline.policy.timeline import Timeline


@dataclass(frozen=True, slots=True)
class MeteringPolicy:
    """One row of a metering policy. Slots are ``slot_ms`` long, a multiple of a base slot that divides a day.

    ``tolerance_days`` is ``None`` where the policy has no tolerance; over-use is then only shown.
    """

    name: str
    valid_from_at: int
    slot_ms: int
    opening_slot_counts: bool
    min_use_ms: int
    unit: Unit
    tolerance_days: int | None
    term_licenses: bool

    @property
    def id(self) -> str:
        """As statements name it: ``bentley-select@2016-04-01``."""
        return f"{self.name}@{iso_date(self.valid_from_at)}"


MeteringTimeline = Timeline[MeteringPolicy]
"""A metering policy's rows by date."""


class UnknownPolicy(LookupError):
    """A metering policy that neither the catalogue nor the contract defines, or that extends itself."""


def resolve(
    name: str, catalogue: Mapping[str, MeteringTimeline], custom: Mapping[str, CustomPolicy]
) -> MeteringTimeline:
    """The timeline of a policy by name; a contract's own policies come before the catalogue's.

    A custom policy begins at its own date, follows the rows of what it extends from there on, and overrides what
    it states in each of them. Raises ``UnknownPolicy``, and ``BeforeFirstRow`` where it begins before what it extends.
    """
    return _resolve(name, catalogue, custom, ())


def _resolve(
    name: str,
    catalogue: Mapping[str, MeteringTimeline],
    custom: Mapping[str, CustomPolicy],
    seen: tuple[str, ...],
) -> MeteringTimeline:
    if name in seen:
        raise UnknownPolicy(f"policy {name} extends itself: {' -> '.join((*seen, name))}")
    own = custom.get(name)
    if own is None:
        if name not in catalogue:
            raise UnknownPolicy(f"there is no metering policy named {name}")
        return catalogue[name]
    base = _resolve(own.extends, catalogue, custom, (*seen, name))
    starts = [own.from_at, *(at for at, _ in base.rows if at > own.from_at)]
    return Timeline(name, tuple((at, _override(base.at(at), own, at)) for at in starts))


def _override(row: MeteringPolicy, own: CustomPolicy, from_at: int) -> MeteringPolicy:
    return replace(
        row,
        name=own.name,
        valid_from_at=from_at,
        slot_ms=row.slot_ms if own.slot_ms is None else own.slot_ms,
        opening_slot_counts=row.opening_slot_counts if own.opening_slot_counts is None else own.opening_slot_counts,
        min_use_ms=row.min_use_ms if own.min_use_ms is None else own.min_use_ms,
        unit=row.unit if own.unit is None else own.unit,
        tolerance_days=row.tolerance_days if own.tolerance_days is None else own.tolerance_days,
        term_licenses=row.term_licenses if own.term_licenses is None else own.term_licenses,
    )
