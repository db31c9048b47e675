"""Warnings: what is no mistake in a contract but may cost its owner money."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.codec.contract.currencies import currencies
from pipeline.codec.contract.entitlements import ReadEntitlement
from pipeline.codec.contract.entries import ContractEntry, Notes
from pipeline.codec.contract.policies import Policies
from pipeline.codec.contract.products import OldCode, Products
from pipeline.codec.contract.schema_mistakes import nearest
from pipeline.model.contracts import Contract, Entitlement, TokenPack
from pipeline.model.instants import LATEST_AT, iso_date
from pipeline.model.money import minor_digits
from pipeline.rules.people.holders import listed_orders, people_of
from pipeline.rules.pool.entitled import overlaps
from pipeline.rules.tokens.token_orders import PURCHASE_UNCONFIRMED_MAX


def warn(
    read: Sequence[ReadEntitlement], products: Products, policies: Policies, default_policy: str | None, strict: bool
) -> None:
    """Note what deserves a second look; a product without a price is a mistake where the check is strict."""
    _warn_unpriced(read, products, policies, default_policy, strict)
    _warn_replaced(read, products.old_codes)
    _warn_nothing_ended(read)


def warn_currency(root: ContractEntry) -> None:
    """Note a currency that ISO 4217 does not know: it may be mistyped, and its decimals are a guess."""
    currency = root.text("currency")
    if currency is not None and currency not in currencies():
        reason = f"ISO 4217 knows no currency {currency}; its amounts are read with {minor_digits(currency)} decimals"
        remedy = f"{nearest(currency, sorted(currencies()))}Correct it, unless it is meant."
        root.notes.warning(root.at("currency"), reason, remedy)


def warn_large_packs(root: ContractEntry, packs: Iterable[TokenPack]) -> None:
    """Note packs that an order would have to confirm: once they are in the ledger, nothing takes them back."""
    for index, pack in enumerate(packs):
        if pack.tokens > PURCHASE_UNCONFIRMED_MAX:
            reason = f"{pack.tokens} tokens are more than {PURCHASE_UNCONFIRMED_MAX}, and stay in the ledger for ever"
            place = (*root.at("token_packs"), index, "tokens")
            root.notes.warning(place, reason, "Correct it before the contract is applied, unless it is right.")


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


def _warn_nothing_ended(read: Sequence[ReadEntitlement]) -> None:
    """Note a quantity of 0 beside seats that stay in force: quantities add up, so it ends none of them."""
    giving: dict[tuple[str, str, str], list[ReadEntitlement]] = {}
    for entry, entitlement in read:
        if entitlement.gives_use:
            for product in entitlement.products:
                seats = giving.setdefault((product, entitlement.country, entitlement.model), [])
                seats.append((entry, entitlement))
    for entry, entitlement in read:
        if entitlement.gives_use:
            continue
        end_at = LATEST_AT if entitlement.until_at is None else entitlement.until_at
        beside = (
            other
            for product in entitlement.products
            for other in giving.get((product, entitlement.country, entitlement.model), ())
            if overlaps(other[1], entitlement.from_at, end_at)
        )
        for other_entry, other in beside:
            reason = f"a quantity of 0 ends nothing: the {other.quantity} of line {other_entry.line} stay in force"
            entry.warning(reason, f"End those by until: {iso_date(entitlement.from_at)}.")
            break


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
