"""A contract drafted from a log and a licence file: commented YAML, valid as it stands, prices left to fill in.

Everything in it is a proposal with its reason beside it. Products are features, or features that are two names of one
product: those always checked out together, a suite of the licence file and its components, and releases by their name.
Entitlements are the licence file's, as a pool; without a file they are left as comments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from pipeline.application.drafting.drafted_products import DraftedProduct
from pipeline.application.drafting.yaml_texts import comment, yaml_text
from pipeline.codec.contract.examination import examine_contract
from pipeline.codec.license_file import LicenseFile
from pipeline.codec.license_increments import Increment
from pipeline.model.errors import InputError
from pipeline.model.instants import calendar_day, day_of, iso
from pipeline.rules.summary.feature_summary import FeatureSummary

POLICY: Final = "bentley-select"
FIRST_DAY: Final = date(2006, 1, 1)
"""The policy says nothing of earlier days."""
LAST_DAY: Final = date(2100, 12, 30)
"""A date after it is no date of a contract: the licences have no end."""
QUANTITY_MAX: Final = 1_000_000
"""The most seats that a contract may state; licences that are not counted are as many."""
_OPTIONS: Final = frozenset({"account", "country", "currency"})


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """What the draft is made from. ``use`` is by product code, over ``[first_at, last_at]``; names are for comments."""

    account: str
    country: str
    currency: str
    inputs: tuple[str, ...]
    license_name: str
    license: LicenseFile | None
    products: tuple[DraftedProduct, ...]
    use: Mapping[str, FeatureSummary]
    first_at: int
    last_at: int


def draft_contract(request: DraftRequest) -> str:
    """The draft's text, checked as any contract is. Raises ``InputError`` where it would be no valid contract."""
    text = "\n".join([*_header(request), *_products(request), "", *_entitlements(request), ""])
    for mistake in examine_contract(text.encode()).mistakes:
        if mistake.path in _OPTIONS:
            raise InputError(f"--{mistake.path}", mistake.reason, mistake.remedy)
        reason = f"come to no valid contract: {mistake.path} {mistake.reason}"
        raise InputError(", ".join(request.inputs), reason, mistake.remedy)
    return text


def _header(request: DraftRequest) -> Iterator[str]:
    span = f"{iso(request.first_at)} to {iso(request.last_at)}"
    yield comment(f"Drafted from {', '.join(request.inputs)} ({span})")
    if request.license is not None:
        yield comment(f"and {request.license_name}, of which only names, dates and quantities are taken over.")
    yield comment("Everything here is a proposal: read it, correct it, and fill in what only you know.")
    yield comment("Check it with `seatbeat check`; past use is read anew under whatever it says then.")
    yield f"account: {yaml_text(request.account)}"
    yield f"country: {yaml_text(request.country)} # where the licences are: ISO 3166"
    yield f"currency: {yaml_text(request.currency)}"
    for note in request.license.notes if request.license is not None else ():
        yield comment(f"{request.license_name}: {note}")
    yield ""


def _products(request: DraftRequest) -> Iterator[str]:
    if not request.products:
        yield "products: {}"
        return
    yield "products:"
    for product in request.products:
        yield f"  {yaml_text(product.code)}:"
        yield f"    {comment(_used(request.use.get(product.code)))}"
        yield "    # name: as it shall stand in reports"
        if product.members:
            yield "    replaces:"
            for member in product.members:
                yield f"      - {yaml_text(member.feature)} {comment(member.reason)}"
        else:
            yield "    replaces: []"
        yield '    # term_license_price: "0.00"'


def _used(use: FeatureSummary | None) -> str:
    if use is None:
        return "not used in these files"
    peak = "no peak" if use.peak_at is None else f"peak {use.peak} ({iso(use.peak_at)})"
    denials = f", true denials {use.true_denials}" if use.true_denials else ""
    return f"{peak}, users {use.users}, checkouts {use.sessions}{denials}"


def _entitlements(request: DraftRequest) -> Iterator[str]:
    yield comment(
        "Network licences are a pool. They are judged here by Bentley's published peak-use rules, the only ones"
    )
    yield comment("for pools that come with dates and a tolerance; a rule of your own stands under `policies`.")
    if request.license is not None:
        yield comment("Dates are the licence file's own: what an older file granted before them is not here.")
    lines: list[str] = []
    is_any = False
    for product in request.products:
        for line in _of_product(product, request):
            is_any = is_any or not line.startswith("#")
            lines.append(f"  {line}")
    yield "entitlements:" if is_any else "entitlements: [] # fill in, and remove the brackets"
    yield from lines


def _of_product(product: DraftedProduct, request: DraftRequest) -> Iterator[str]:
    if not product.increments:
        use = request.use.get(product.code)
        quantity = max(1, 0 if use is None else use.peak)
        since = _first_day(None, request.first_at)
        without = "no licence file was given" if request.license is None else "the licence file grants none"
        yield comment(f"{without}; {_used(use)}:")
        yield comment(f"- {_entry(product.code, str(quantity), since, None)}")
    for increment in product.increments:
        yield from _entitlement(product.code, increment, request)
    for feature in product.held_together:
        yield comment(f"licences of {feature} are checked out together with these, and add none")


def _entitlement(code: str, increment: Increment, request: DraftRequest) -> Iterator[str]:
    reasons = [f"{request.license_name}:{increment.line}"]
    since = _first_day(increment.first_day, request.first_at)
    if increment.first_day is None:
        reasons.append("states no first day: the quarter in which the log begins")
    elif increment.first_day != since:
        reasons.append(f"from {increment.first_day}, before which the policy says nothing")
    last_day = increment.last_day if increment.last_day is None or increment.last_day <= LAST_DAY else None
    quantity = increment.quantity
    if quantity is None:
        reasons.append("not counted: as many as a contract may state")
    elif quantity > QUANTITY_MAX:
        reasons.append(f"{quantity} are more than a contract may state")
    seats = QUANTITY_MAX if quantity is None else min(quantity, QUANTITY_MAX)
    if last_day is not None and last_day < since:
        yield comment(f"{', '.join(reasons)}: {seats} until {last_day}, before any day that counts here")
        return
    until = None if last_day is None else last_day + timedelta(days=1)
    yield f"- {_entry(code, str(seats), since, until)} {comment(', '.join(reasons))}"


def _entry(code: str, quantity: str, since: date, until: date | None) -> str:
    end = "" if until is None else f", until: {until}"
    return f"{{product: {yaml_text(code)}, model: pooled, policy: {POLICY}, quantity: {quantity}, from: {since}{end}}}"


def _first_day(first_day: date | None, first_at: int) -> date:
    """The first day of an entitlement: what the file states, else that of the quarter in which the log begins."""
    if first_day is None:
        begins = calendar_day(day_of(first_at))
        first_day = begins.replace(month=(begins.month - 1) // 3 * 3 + 1, day=1)
    return max(first_day, FIRST_DAY)
