"""A contract's products: prices, plug-ins, and the old codes that count as them (RULES 4 and 6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pipeline.codec.contract.entries import ContractEntry
from pipeline.codec.contract.overlaps import Claim, contradictions
from pipeline.codec.contract.schema_mistakes import nearest
from pipeline.codec.contract.yaml_document import ContractPath, shown
from pipeline.model.contracts import Product, Replacement
from pipeline.rules.pool.percentage_price import unit_price

OldCode = Claim[str, str]
"""The claim that an old code counts as a product."""


@dataclass(frozen=True, slots=True)
class Products:
    """The products by code, the entries they were read from, and every old code that is replaced."""

    by_code: Mapping[str, Product]
    entries: Mapping[str, ContractEntry]
    old_codes: tuple[OldCode, ...]


def read_products(root: ContractEntry, currency: str | None) -> Products:
    """The products of a contract, and every mistake in them."""
    entries = dict(root.named("products"))
    by_code: dict[str, Product] = {}
    old_codes: list[OldCode] = []
    for code, entry in entries.items():
        replaces = _replacements(code, entry, len(old_codes))
        old_codes += replaces
        by_code[code] = Product(
            code=code,
            name=entry.text("name") or "",
            replaces=tuple(Replacement(old.subject, old.from_at, old.until_at) for old in replaces),
            plugin_of=entry.text("plugin_of"),
            unit_price=_unit_price(entry, currency),
            idle_detection=_idle_detection(entry),
            platforms={name: rule.text("from_version") or "" for name, rule in entry.named("platforms")},
        )
    _check_plugins(by_code, entries)
    _check_old_codes(old_codes)
    return Products(by_code, entries, tuple(old_codes))


def check_listed(entry: ContractEntry, place: ContractPath, code: str, listed: Collection[str]) -> bool:
    """Whether a product is listed under products. Naming another is a mistake."""
    if code in listed:
        return True
    remedy = f"{nearest(code, listed)}List it under products, such as {code}: {{}}."
    entry.notes.mistake(place, f"there is no product {shown(code)} under products", remedy)
    return False


def _unit_price(entry: ContractEntry, currency: str | None) -> int | None:
    """A term licence's price: as stated, else a percentage of the list price (RULES 4); ``None`` unpriced."""
    stated, listed, percent = entry.money("term_license_price", currency), entry.money("list_price", currency), None
    if entry.has("term_license_percent"):
        percent = _percent(entry)
        if entry.has("term_license_price"):
            reason = "two prices for a term licence: term_license_price and a percentage of the list price"
            entry.mistake("term_license_percent", reason, "Keep the one that was agreed.")
        elif not entry.has("list_price"):
            reason = "is a percentage of a list price that is missing"
            entry.mistake("term_license_percent", reason, "Add list_price, or remove it.")
    return unit_price(stated, listed, percent)


def _percent(entry: ContractEntry) -> int | str | None:
    percent = entry.whole("term_license_percent") or entry.text("term_license_percent")
    if not isinstance(percent, str):
        return percent
    whole, _, decimals = percent.partition(".")
    hundred: int = 100 * 10 ** len(decimals)
    if not 0 < int(whole + decimals) <= hundred:
        reason = f"{percent} is not more than 0 and at most 100"
        entry.unusable("term_license_percent", reason, 'Write a percentage such as 16 or "12.5".')
        return None
    return percent


def _idle_detection(entry: ContractEntry) -> bool | str:
    value = entry.value("idle_detection")
    if isinstance(value, dict):
        rule = ContractEntry(entry.notes, entry.at("idle_detection"), value)
        return rule.text("from_version") or True
    return value if isinstance(value, bool) else True


def _replacements(product: str, entry: ContractEntry, first: int) -> list[OldCode]:
    items = entry.value("replaces")
    old_codes: list[OldCode] = []
    for index, item in enumerate(items if isinstance(items, list) else ()):
        place = (*entry.at("replaces"), index)
        old = ContractEntry(entry.notes, place, item if isinstance(item, dict) else {"code": item})
        code = old.text("code") if entry.notes.is_usable(place) else None
        from_at, until_at = old.instant("from"), old.instant("until")
        spans = old.check_span(from_at, until_at)
        if code == product:
            old.mistake("", f"{product} replaces itself", "Remove it: a code counts as itself anyway.")
        elif code is not None and spans:
            old_codes.append(Claim(code, product, from_at, until_at, old, first + len(old_codes)))
    return old_codes


def _check_plugins(products: Mapping[str, Product], entries: Mapping[str, ContractEntry]) -> None:
    hosts = {code: product.plugin_of for code, product in products.items() if product.plugin_of is not None}
    for code, host in hosts.items():
        entry = entries[code]
        if host == code:
            entry.mistake(
                "plugin_of", f"{code} is a plug-in of itself", "Name the product that opens it, or remove the key."
            )
        elif check_listed(entry, entry.at("plugin_of"), host, products) and code in _reached(host, hosts):
            reason = f"{code} is a plug-in of itself through {host}"
            entry.mistake("plugin_of", reason, "Remove plugin_of from the product that opens the others.")


def _reached(code: str, successors: Mapping[str, str]) -> list[str]:
    """A code and every code that is reached from it, each once."""
    path = [code]
    seen = {code}
    while (following := successors.get(path[-1])) is not None and following not in seen:
        path.append(following)
        seen.add(following)
    return path


def _check_old_codes(old_codes: Iterable[OldCode]) -> None:
    by_code: dict[str, list[OldCode]] = {}
    for old in old_codes:
        by_code.setdefault(old.subject, []).append(old)
    for later, other in contradictions(old_codes):
        reason = (
            f"{later.subject} counts at once as {later.claimed} here and as {other.claimed} by line {other.entry.line}"
        )
        later.entry.mistake("", reason, "Keep one of the two, or divide the time between them with from and until.")
    for edge in sorted(_cyclic(by_code), key=lambda each: each.order):
        reason = f"{edge.claimed} replaces {edge.subject}, and {edge.subject} replaces {edge.claimed} at the same time"
        edge.entry.mistake("", f"{reason}, directly or through others", "Keep the direction in which the code changed.")


def _cyclic(by_code: Mapping[str, list[OldCode]]) -> set[OldCode]:
    """The replacements that lead back to the code they start from, at the same time."""
    edges = {code: olds for code, olds in by_code.items() if any(old.claimed in by_code for old in olds)}
    starts = sorted({old.start for olds in edges.values() for old in olds})
    cyclic: set[OldCode] = set()
    for at in starts:
        now = {code: old for code, olds in edges.items() for old in olds if old.start <= at < old.end}
        settled: set[str] = set()
        for code in now:
            path: list[str] = []
            current = code
            while current in now and current not in settled:
                settled.add(current)
                path.append(current)
                current = now[current].claimed
            if current in path:
                cyclic |= {now[each] for each in path[path.index(current) :]}
    return cyclic
