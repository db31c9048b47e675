"""The token ledger of an account asked: balances with open windows, entries, charges taken apart, outlook (RULES 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.application.account_view import AccountView
from pipeline.application.tokens.token_reading import read_token_evidence
from pipeline.codec.reports.letter_records import printable
from pipeline.model.errors import InputError
from pipeline.model.instants import DAY_MS, EARLIEST_AT, LATEST_AT
from pipeline.model.ledger_entries import Debit, Entry, Window
from pipeline.rules.tokens.balance import TeamBalance, balances
from pipeline.rules.tokens.charge_explanation import Asked, TokenExplanation, explain_tokens
from pipeline.rules.tokens.forecast import Forecast, forecast
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.store.account_totals import latest_evidence_at
from pipeline.store.stored_sessions import Selection, read_sessions

WINDOW_MS_MAX: Final = 2 * DAY_MS
"""How long before an instant a window that covers it may have started, at most, and with it what caused it."""


@dataclass(frozen=True, slots=True)
class TokenState:
    """The ledger, the windows that are not settled yet, and up to when evidence is complete and has arrived."""

    ledger: Ledger
    reading: TokenReading
    open_windows: tuple[Window, ...]
    complete_until: int | None
    latest_at: int | None

    def balances(self, now: int) -> tuple[TeamBalance, ...]:
        """Every team's balance, settled and reserved apart, where the stored evidence has come to."""
        return balances(self.ledger, self.open_windows, max(self.as_of(now), self.ledger.settled_until_at))

    def as_of(self, now: int) -> int:
        """The instant that the stored evidence has come to, at most now; now where there is none."""
        return min(now, max(self.complete_until or 0, self.latest_at or 0, self.ledger.settled_until_at) or now)


def token_state(view: AccountView) -> TokenState:
    """What the store holds of an account's tokens. Raises ``LedgerBroken``."""
    evidence = read_token_evidence(view.client, view.token_reading)
    evidence.heed(view.voids)
    waiting = evidence.open_windows(view.ledger)
    return TokenState(
        ledger=view.ledger,
        reading=view.token_reading,
        open_windows=tuple(window for windows in waiting.values() for window in windows),
        complete_until=view.complete_until,
        latest_at=latest_evidence_at(view.client, view.account),
    )


def token_explanation(view: AccountView, asked: Asked) -> tuple[TokenState, TokenExplanation]:
    """Take charges apart, and name what cost nothing. Raises ``LedgerBroken``."""
    state = token_state(view)
    debit = state.ledger.debit(asked.entry)
    from_at = debit.window.start_at if debit else asked.from_at
    product = debit.window.product if debit else asked.product
    selection = Selection(
        view.account,
        max(from_at - WINDOW_MS_MAX, EARLIEST_AT),
        debit.window.end_at if debit else min(asked.until_at, LATEST_AT),
        codes=view.reading.codes_of(product) if product else (),
        user=debit.window.user if debit else asked.user,
    )
    sessions = read_sessions(view.client, selection, view.voids)
    return state, explain_tokens(state.ledger, state.open_windows, sessions, state.reading, asked)


def explained_charges(view: AccountView, asked: Asked) -> tuple[TokenState, TokenExplanation]:
    """As ``token_explanation``. Raises ``InputError`` too, for a debit or a charged product that there is not."""
    state, explained = token_explanation(view, asked)
    if asked.entry and not explained.charges:
        raise InputError(
            "--entry", f"there is no debit {printable(asked.entry)}", "`seatbeat tokens ledger` lists them"
        )
    _check_charged(asked.product, state)
    return state, explained


def token_forecast(view: AccountView, now: int, at: int | None = None) -> tuple[int, tuple[Forecast, ...]]:
    """Every team's outlook at an instant: the one given, else that which the stored evidence has come to."""
    state = token_state(view)
    seen_at = state.as_of(now) if at is None else at
    return seen_at, forecast(state.ledger, seen_at)


def is_asked_for(entry: Entry, asked: Asked) -> bool:
    """Whether an entry of the ledger is of the product, user and range that are asked for."""
    window = entry.fact.window if isinstance(entry.fact, Debit) else None
    product, user = (window.product, window.user) if window else ("", "")
    return asked.product in {"", product} and asked.user in {"", user} and asked.from_at <= entry.at < asked.until_at


def _check_charged(product: str, state: TokenState) -> None:
    charged = sorted({code for code, _ in state.reading.pools})
    plug_ins = [listed.code for listed in state.reading.contract.products.values() if listed.plugin_of]
    if product and product not in {*charged, *plug_ins}:
        names = printable(", ".join(charged)) or "none"
        raise InputError("--product", f"{printable(product)} is not charged in tokens", f"Products that are: {names}")
