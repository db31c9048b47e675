"""Balances, entries, charges and forecasts of the token ledger as records for JSON and CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from pipeline.codec.topics.ledger_messages import entry_kind
from pipeline.model.evidence import SessionKey
from pipeline.model.instants import iso, iso_exact
from pipeline.model.ledger_entries import Credit, Debit, Entry, Expiry, Grant, Part, Refusal, Settled
from pipeline.model.money import format_money
from pipeline.rules.tokens.balance import TeamBalance
from pipeline.rules.tokens.charge_explanation import Charge
from pipeline.rules.tokens.connections import FreeConnection
from pipeline.rules.tokens.forecast import Forecast
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.spans import Span

TokenRecord = dict[str, object]
"""A record of the token commands; columns of an entry are ``LEDGER_COLUMNS``."""

LEDGER_COLUMNS: Final = (
    "at", "kind", "team", "product", "country", "user", "until", "change", "balance", "uncovered", "packs", "note",
    "id",
)  # fmt: skip
"""The fields of entries of every kind. An entry leaves those of other kinds empty."""

WHY_FREE: Final = {
    "not_production": "it was no production use",
    "plug_in_without_rate": "a plug-in without a rate of its own costs nothing",
    "free_connection": "it was no longer than the free connection",
    "single_user_seat": "the user's own seat covers it",
    "paid_window": "a window that was paid for covers it, or it is not long enough beyond",
}
"""The sentence for each code of a free connection."""


def balance_record(team: TeamBalance, ledger: Ledger, currency: str) -> TokenRecord:
    """A team: what is settled, what open windows reserve, and its packs in the order they pay."""
    settled = team.settled
    return {
        "team": team.team,
        "granted": settled.granted,
        "debited": settled.debited,
        "expired": settled.expired,
        "balance": settled.balance,
        "uncovered": settled.uncovered,
        "open_windows": team.open_windows,
        "reserved": team.reserved,
        "open_uncovered": team.open_uncovered,
        "available": team.available,
        "packs": [
            {
                "id": pack.id,
                "purchase": grant.purchase if (grant := ledger.grants.get(pack.id)) else "",
                "tokens": pack.tokens,
                "left": pack.left,
                "purchased_at": iso(pack.purchased_at),
                "expires_at": iso(pack.expires_at),
                "price": None if grant is None or grant.price is None else format_money(grant.price, currency),
            }
            for pack in team.packs
        ],
    }


def ledger_records(ledger: Ledger) -> Iterator[tuple[Entry, TokenRecord]]:
    """Every entry in log order. ``change`` is to the balance of its team, ``balance`` what that is afterwards."""
    balance: dict[str, int] = {}
    for entry in ledger.entries.values():
        record = dict.fromkeys(LEDGER_COLUMNS) | {"id": entry.id, "at": iso(entry.at), "kind": entry_kind(entry.fact)}
        record |= _own_fields(entry)
        team, change = record["team"], record["change"]
        if isinstance(team, str) and isinstance(change, int):
            balance[team] = balance.get(team, 0) + change
            record["balance"] = balance[team]
        yield entry, record


def _own_fields(entry: Entry) -> TokenRecord:
    match entry.fact:
        case Grant() as grant:
            note = f"purchase {grant.purchase}" if grant.purchase else ""
            part = Part(grant.pack, grant.tokens)
            return {"team": grant.team, "until": iso(grant.expires_at), "change": grant.tokens} | _packs([part], note)
        case Debit() as debit:
            window = debit.window
            return {
                "team": debit.team, "product": window.product, "country": window.country, "user": window.user,
                "until": iso(window.end_at), "change": -debit.tokens, "uncovered": debit.uncovered,
            } | _packs(debit.parts)  # fmt: skip
        case Expiry() as expiry:
            part = Part(expiry.pack, expiry.tokens)
            return {"team": expiry.team, "change": -expiry.tokens} | _packs([part])
        case Credit() as credit:
            note = f"{credit.reason} (debit {credit.debit})" if credit.debit else credit.reason
            change = sum(part.tokens for part in credit.parts)
            return {"team": credit.team, "change": change} | _packs(credit.parts, note)
        case Refusal() as refusal:
            return {"note": f"order {refusal.command} refused, {refusal.code}: {refusal.sentence}"}
        case Settled():
            return {"note": "every window that starts at or before this is settled"}


def _packs(parts: Iterable[Part], note: str = "") -> TokenRecord:
    return {"packs": [f"{part.pack}:{part.tokens}" for part in parts]} | ({"note": note} if note else {})


def charge_record(charge: Charge) -> TokenRecord:
    """A charge window: which team and packs paid, and the stretches of activity that caused it, to the millisecond."""
    window, debit = charge.window, charge.debit
    return {
        "entry": charge.entry or None,
        "state": "settled" if debit else "open",
        "product": window.product,
        "country": window.country,
        "user": window.user,
        "start": iso_exact(window.start_at),
        "end": iso_exact(window.end_at),
        "rate": window.rate,
        "policy": window.policy,
        "team": debit.team if debit else None,
        "packs": [{"pack": part.pack, "tokens": part.tokens} for part in debit.parts] if debit else [],
        "tokens": debit.tokens if debit else None,
        "uncovered": debit.uncovered if debit else None,
        "caused_by": [_stretch(key, span) for key, span in charge.causes],
    }


def _stretch(key: SessionKey, span: Span) -> TokenRecord:
    return {
        "session": key.session, "reported_product": key.product, "machine": key.machine, "user": key.user,
        "active_from": iso_exact(span.from_at), "active_until": iso_exact(span.until_at),
    }  # fmt: skip


def free_record(connection: FreeConnection) -> TokenRecord:
    """A connection that cost nothing, with a stable code and a sentence."""
    return {
        "product": connection.product,
        "country": connection.country,
        **_stretch(connection.session, Span(connection.from_at, connection.until_at)),
        "code": connection.reason,
        "why": WHY_FREE[connection.reason],
    }


def forecast_record(forecast: Forecast) -> TokenRecord:
    """A team's forecast; ``charged_30_days`` is what its last 30 days took or would have taken."""
    return {
        "team": forecast.team,
        "balance": forecast.balance,
        "charged_30_days": forecast.charged,
        "days_left": forecast.days_left,
        "unused": [
            {"pack": pack.pack, "tokens": pack.tokens, "expires_at": iso(pack.expires_at)} for pack in forecast.unused
        ],
    }
