"""Warnings: what is no mistake in a contract but may cost its owner money."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.codec.contract.entitlements import ReadEntitlement
from pipeline.codec.contract.entries import Notes
from pipeline.codec.contract.policies import Policies
from pipeline.codec.contract.products import OldCode, Products
from pipeline.model.contracts import Contract, Entitlement
from pipeline.rules.people.holders import listed_orders, people_of


def warn(
    read: Sequence[ReadEntitlement], products: Products, policies: Policies, default_policy: str | None, strict: bool
) -> None:
    """Note what deserves a second look; a product without a price is a mistake where the check is strict."""
    _warn_unpriced(read, products, policies, default_policy, strict)
    _warn_replaced(read, products.old_codes)


def warn_refused(notes: Notes, contract: Contract) -> None:
    """Note the entries of a contract's lists that have no effect. The contract has no mistakes."""
    refused = {refusal.id: refusal for refusal in people_of(contract).refused}
    for listed in listed_orders(contract):
        if listed.id in refused:
            reason = f"is refused and changes nothing: {refused[listed.id].sentence}"
            notes.warning(listed.place, reason, "Correct it, or remove it.")


def _warn_unpriced(
    read: Sequence[ReadEntitlement], products: Products, policies: Policies, default_policy: str | None, strict: bool
) -> None:
    for code, product in products.by_code.items():
        entry = products.entries[code]
        if entry.has("term_license_price") or entry.has("list_price"):
            continue
        own = [entitlement for _, entitlement in read if code in entitlement.products]
        if not own and product.plugin_of is not None:
            continue
        if not _has_term_licenses(own, policies, default_policy):
            continue
        reason = "can be over-used but has no price: its term licences would be counted and stay out of the total"
        remedy = "Add term_license_price or list_price."
        if strict:
            entry.mistake("", reason, remedy)
        else:
            entry.warning(reason, remedy)


def _has_term_licenses(own: Iterable[Entitlement], policies: Policies, default_policy: str | None) -> bool:
    """Whether over-use makes term licences due: under the policies of its seats, without seats under the default.

    Flex has no term licences. Use outside a product's own entitlements is shown by the statement.
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


def _warn_replaced(read: Iterable[ReadEntitlement], old_codes: Iterable[OldCode]) -> None:
    by_code: dict[str, list[OldCode]] = {}
    for old in old_codes:
        by_code.setdefault(old.subject, []).append(old)
    for entry, entitlement in read:
        for code in entitlement.products:
            for old in by_code.get(code, ()):
                if entitlement.until_at is not None and entitlement.until_at <= old.start:
                    continue
                if entitlement.from_at < old.end:
                    counts_as = f"use of {code} counts as {old.claimed} by line {old.entry.line}"
                    reason = f"{counts_as}, so these seats cover none of it"
                    entry.warning(reason, f"Write the entitlement for {old.claimed}.")
