"""What is no contradiction in a contract but may cost its owner money: worth a warning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.codec.contract.entitlements import ReadEntitlement
from pipeline.codec.contract.entries import Notes
from pipeline.codec.contract.policies import Policies
from pipeline.codec.contract.products import OldCode, Products
from pipeline.model.contracts import Contract, Entitlement
from pipeline.rules.people.holders import listed_orders, people_of


def warn(
    found: Sequence[ReadEntitlement], products: Products, policies: Policies, default_policy: str | None, strict: bool
) -> None:
    """Note what deserves a second look; a product without a price is a mistake where the check is strict."""
    _warn_unpriced(found, products, policies, default_policy, strict)
    _warn_replaced(found, products.old_codes)


def warn_refused(notes: Notes, contract: Contract) -> None:
    """Note the entries of a contract's lists that give nobody anything; the contract is one without mistakes."""
    refused = {one.id: one for one in people_of(contract).refused}
    for listed in listed_orders(contract):
        if listed.id in refused:
            reason = f"is refused and changes nothing: {refused[listed.id].sentence}"
            notes.warning(listed.place, reason, "Correct it, or remove it.")


def _warn_unpriced(
    found: Sequence[ReadEntitlement], products: Products, policies: Policies, default_policy: str | None, strict: bool
) -> None:
    for code, product in products.by_code.items():
        entry = products.entries[code]
        if entry.has("term_license_price") or entry.has("list_price"):
            continue
        own = [entitlement for _, entitlement in found if code in entitlement.products]
        if not own and product.plugin_of is not None:
            continue
        if not _has_term_licenses(own, policies, default_policy):
            continue
        note = entry.notes.mistake if strict else entry.notes.warning
        reason = "can be over-used but has no price: its term licences would be counted and stay out of the total"
        note(entry.place, reason, "Add term_license_price or list_price.")


def _has_term_licenses(own: Iterable[Entitlement], policies: Policies, default_policy: str | None) -> bool:
    """Whether over-use makes term licences due under a policy its seats name, the default one without entitlements.

    Flex knows no term licences; use outside a product's own entitlements is left to the statement to show.
    """
    entitlements = list(own)
    if not entitlements:
        timeline = None if default_policy is None else policies.timelines.get(default_policy)
        return timeline is not None and any(row.term_licenses for _, row in timeline.rows)
    has_flex = any(each.model == "flex" for each in entitlements)
    for each in entitlements:
        timeline = policies.timelines.get(each.policy)
        if each.model == "flex" or (each.model == "single_user" and has_flex) or timeline is None:
            continue
        until_at = timeline.rows[-1][0] + 1 if each.until_at is None else each.until_at
        if any(
            row.value.term_licenses
            for row in timeline.segments(max(each.from_at, timeline.first_at), max(until_at, each.from_at + 1))
        ):
            return True
    return False


def _warn_replaced(found: Iterable[ReadEntitlement], old_codes: Iterable[OldCode]) -> None:
    by_code: dict[str, list[OldCode]] = {}
    for old in old_codes:
        by_code.setdefault(old.subject, []).append(old)
    for entry, entitlement in found:
        for code in entitlement.products:
            for old in by_code.get(code, ()):
                if entitlement.until_at is not None and entitlement.until_at <= old.start:
                    continue
                if entitlement.from_at < old.end:
                    reason = (
                        f"use of {code} counts as {old.said} by line {old.entry.line}, so these seats cover none of it"
                    )
                    entry.warning(reason, f"Write the entitlement for {old.said}.")
