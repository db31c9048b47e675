"""A contract's own policies, and which policy may judge what, and from when (RULES 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from pipeline.codec.contract.entries import ContractEntry
from pipeline.codec.contract.schema_mistakes import nearest
from pipeline.codec.contract.yaml_document import shown, single_line
from pipeline.model.contracts import CustomPolicy, Unit
from pipeline.model.instants import BASE_SLOT_MS, DAY_MS, iso_date
from pipeline.policy.catalogue import metering_catalogue, token_policy_starts
from pipeline.policy.metering_policies import MeteringTimeline, UnknownPolicy, resolve
from pipeline.policy.timeline import BeforeFirstRow

DEFAULT_POLICY: Final = "bentley-select"
"""What judges use outside every entitlement, where a contract does not say."""
DEFAULT_TOKEN_POLICY: Final = "autodesk-flex"  # noqa: S105 (a licence unit, no credential)
"""The policy of flex, where an entitlement does not say."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies an entitlement can name. ``timelines`` holds the metering policies without mistakes."""

    custom: Mapping[str, CustomPolicy]
    timelines: Mapping[str, MeteringTimeline]
    token_starts: Mapping[str, int]
    names: frozenset[str]

    def starts_at(self, name: str) -> int | None:
        """When a policy begins; ``None`` where it is unknown or has mistakes of its own."""
        timeline = self.timelines.get(name)
        return self.token_starts.get(name) if timeline is None else timeline.first_at


def read_policies(root: ContractEntry) -> Policies:
    """The contract's own policies with the built-in ones, and every mistake in its own."""
    catalogue, tokens = metering_catalogue(), token_policy_starts()
    entries = dict(root.named("policies"))
    built_in = frozenset(catalogue) | frozenset(tokens)
    custom: dict[str, CustomPolicy] = {}
    for name, entry in entries.items():
        if name in built_in:
            entry.mistake("", "has the name of a built-in policy", "Choose another name.")
        else:
            own = _custom_policy(name, entry)
            if own is not None:
                custom[name] = own
    names = built_in | frozenset(entries)
    timelines = dict(catalogue)
    for name, own in custom.items():
        timeline = _timeline(entries[name], own, custom, names)
        if timeline is not None:
            timelines[name] = timeline
    return Policies(custom, timelines, tokens, names)


def read_default_policy(root: ContractEntry, policies: Policies) -> str | None:
    """The metering policy that judges use outside every entitlement (RULES 2); ``None`` where it is not usable."""
    if not root.is_sound("default_policy"):
        return None
    name = root.text("default_policy") or DEFAULT_POLICY
    if name not in policies.names:
        unknown_policy(root, "default_policy", name, policies)
    elif name in policies.token_starts:
        reason = f"{name} charges tokens; it cannot judge use outside every entitlement"
        root.mistake("default_policy", reason, f"Name a metering policy such as {DEFAULT_POLICY}.")
    else:
        return name
    return None


def unknown_policy(entry: ContractEntry, key: str, name: str, policies: Policies) -> None:
    """Note that a policy is neither built in nor defined in the contract."""
    remedy = f"{nearest(name, policies.names)}Define it under policies, or name one of {_listed(policies.names)}."
    entry.mistake(key, f"there is no policy named {shown(name)}", remedy)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(single_line(name) for name in sorted(names)[:20])


def _custom_policy(name: str, entry: ContractEntry) -> CustomPolicy | None:
    extends, from_at = entry.text("extends"), entry.instant("from")
    slot_ms, opening, min_use_ms = entry.duration("slot"), entry.text("opening_slot"), entry.duration("min_use")
    if slot_ms is not None and (slot_ms == 0 or slot_ms % BASE_SLOT_MS or DAY_MS % slot_ms):
        reason = f"a slot of {entry.text('slot')} does not divide a day into whole slots of tens of minutes"
        entry.unusable("slot", reason, "Choose one such as 10m, 20m, 30m, 1h, 2h or 1d.")
        slot_ms = None
    if min_use_ms is not None and min_use_ms > DAY_MS:
        reason = f"a minimum use of {entry.text('min_use')} is longer than a day"
        entry.unusable("min_use", reason, "Write a duration of at most 24h, such as 12m.")
        min_use_ms = None
    if extends is None or from_at is None:
        return None
    return CustomPolicy(
        name=name,
        extends=extends,
        from_at=from_at,
        slot_ms=slot_ms,
        opening_slot_counts=None if opening is None else opening == "counted",
        min_use_ms=min_use_ms,
        unit=cast("Unit | None", entry.text("unit")),
        tolerance_days=entry.whole("tolerance_days"),
        term_licenses=entry.flag("term_licenses"),
    )


def _timeline(
    entry: ContractEntry, own: CustomPolicy, custom: Mapping[str, CustomPolicy], names: frozenset[str]
) -> MeteringTimeline | None:
    catalogue = metering_catalogue()
    if own.extends in token_policy_starts():
        reason = f"{own.extends} charges tokens; only a metering policy can be extended"
        entry.mistake("extends", reason, f"Extend a metering policy such as {DEFAULT_POLICY}.")
        return None
    if own.extends not in names:
        extensible = names - frozenset(token_policy_starts())
        remedy = f"{nearest(own.extends, extensible)}Name one of {_listed(extensible - {own.name})}."
        entry.mistake("extends", f"there is no policy named {shown(own.extends)}", remedy)
        return None
    if _extends_itself(own.name, custom):
        remedy = f"Extend a built-in policy such as {DEFAULT_POLICY}."
        entry.mistake("extends", f"policy {own.name} extends itself{_through(own)}", remedy)
        return None
    try:
        base = resolve(own.extends, catalogue, custom)
    except (UnknownPolicy, BeforeFirstRow):
        return None  # the mistake stands at the policy it extends
    if own.from_at < base.first_at:
        reason = f"begins before {own.extends}, which it extends and which is defined from {iso_date(base.first_at)} on"
        entry.mistake("from", reason, f"Begin on {iso_date(base.first_at)} or later.")
        return None
    timeline = resolve(own.name, catalogue, custom)
    if any(row.term_licenses and row.tolerance_days is None for _, row in timeline.rows):
        _note_no_tolerance(entry, own)
    return timeline


def _through(own: CustomPolicy) -> str:
    return "" if own.extends == own.name else f" through {own.extends}"


def _extends_itself(name: str, custom: Mapping[str, CustomPolicy]) -> bool:
    seen, current = set[str](), custom[name].extends
    while current in custom and current not in seen:
        if current == name:
            return True
        seen.add(current)
        current = custom[current].extends
    return False


def _note_no_tolerance(entry: ContractEntry, own: CustomPolicy) -> None:
    key = "term_licenses" if entry.has("term_licenses") else ""
    reason = f"has term licences, but {own.extends} says nothing of tolerance days on {iso_date(own.from_at)}"
    entry.mistake(key, reason, "Add tolerance_days: 0, or the days the vendor tolerates.")
