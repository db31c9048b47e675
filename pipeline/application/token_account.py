"""The token ledger asked: with the windows that are still open, and the evidence that stands behind charges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.application.quarter_counts import latest_evidence_at
from pipeline.application.token_settlement import read_token_evidence, token_reading
from pipeline.model.instants import DAY_MS, EARLIEST_AT, LATEST_AT
from pipeline.model.ledger_entries import Window
from pipeline.model.orders import Logged
from pipeline.rules.orders.voids import voids_in_force
from pipeline.rules.pool.reading import ContractReading
from pipeline.rules.tokens.charge_explanation import Asked, TokenExplanation, explain_tokens
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.store.client import Client
from pipeline.store.completeness_marks import read_complete_until
from pipeline.store.order_log import read_first_commands
from pipeline.store.postings import read_stored_ledger
from pipeline.store.stored_sessions import Selection, read_sessions

WINDOW_MS_MAX = 2 * DAY_MS
"""How long before an instant a window that covers it may have started, at most, and with it what caused it."""


@dataclass(frozen=True, slots=True)
class TokenState:
    """The ledger, the windows that are not settled yet, and up to when evidence is complete and has been heard."""

    ledger: Ledger
    reading: TokenReading
    open_windows: tuple[Window, ...]
    complete_until: int | None
    latest_at: int | None

    def as_of(self, now: int) -> int:
        """The instant that the stored evidence has come to, at most now; now where there is none."""
        return min(now, max(self.complete_until or 0, self.latest_at or 0, self.ledger.settled_until_at) or now)


def read_token_state(client: Client, reading: ContractReading, logged: Sequence[Logged] | None = None) -> TokenState:
    """What the store knows of an account's tokens, after its commands in log order, no id twice.

    They are those that the store holds where none are given. Raises ``LedgerBroken``.
    """
    account = reading.contract.account
    log = read_first_commands(client, account) if logged is None else logged
    tokens, ledger = token_reading(reading, log), read_stored_ledger(client, account)
    evidence = read_token_evidence(client, tokens)
    evidence.heed(voids_in_force(log))
    waiting = evidence.open_windows(ledger)
    return TokenState(
        ledger=ledger,
        reading=tokens,
        open_windows=tuple(window for windows in waiting.values() for window in windows),
        complete_until=read_complete_until(client, account),
        latest_at=latest_evidence_at(client, account),
    )


def read_token_explanation(
    client: Client, reading: ContractReading, asked: Asked, logged: Sequence[Logged] | None = None
) -> tuple[TokenState, TokenExplanation]:
    """Take charges apart, and name what cost nothing, after commands as ``read_token_state``. Raises as it does."""
    account = reading.contract.account
    log = read_first_commands(client, account) if logged is None else logged
    state = read_token_state(client, reading, log)
    debit = state.ledger.debit(asked.entry)
    from_at = debit.window.start_at if debit else asked.from_at
    product = debit.window.product if debit else asked.product
    selection = Selection(
        account,
        max(from_at - WINDOW_MS_MAX, EARLIEST_AT),
        debit.window.end_at if debit else min(asked.until_at, LATEST_AT),
        codes=reading.codes_of(product) if product else (),
        user=debit.window.user if debit else asked.user,
    )
    found = read_sessions(client, selection, voids_in_force(log))
    return state, explain_tokens(state.ledger, state.open_windows, found, state.reading, asked)
