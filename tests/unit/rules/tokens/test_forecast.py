"""Forecasts of token packs."""

from __future__ import annotations

from pipeline.model.instants import DAY_MS
from pipeline.rules.tokens.flex_lines import token_block
from pipeline.rules.tokens.forecast import Forecast, Unused, forecast
from pipeline.rules.tokens.ledger import read_ledger
from pipeline.rules.tokens.pack_order import expires_at
from tests.support.evidence.token_shorthand import BOUGHT_AT, MONDAY, log_of


def test_the_forecast_states_how_long_tokens_last_and_what_expires_unused() -> None:
    ledger = read_ledger("acme", log_of(30))
    at = MONDAY + 30 * DAY_MS
    (outlook,) = forecast(ledger, at)
    left, days = 500 - 30 * 7, (expires_at(BOUGHT_AT) - at) // DAY_MS
    assert days > left // 7
    assert outlook == Forecast("default", left, 210, left // 7, ())
    (later,) = forecast(ledger, at + 25 * DAY_MS)
    used = 35 * (expires_at(BOUGHT_AT) - at - 25 * DAY_MS) // (30 * DAY_MS)
    assert later.charged == 35
    assert later.unused == ((Unused("P", left - used, expires_at(BOUGHT_AT)),) if used < left else ())
    (idle,) = forecast(ledger, at + 60 * DAY_MS)
    assert (idle.days_left, idle.unused) == (None, (Unused("P", left, expires_at(BOUGHT_AT)),))


def test_the_forecast_of_an_earlier_instant_has_the_balance_of_a_statement_as_of_then() -> None:
    ledger = read_ledger("acme", log_of(5))
    for days in range(6):
        at = MONDAY + days * DAY_MS
        (outlook,) = forecast(ledger, at)
        assert outlook.balance == token_block(ledger, at).balance == 500 - days * 7
        assert outlook.charged == days * 7
