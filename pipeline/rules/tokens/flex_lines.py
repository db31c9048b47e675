"""The ledger on a statement: flex lines and the tokens block (INTERFACES, Statement)."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.model.instants import Period
from pipeline.model.ledger_entries import Debit, Entry
from pipeline.model.statements import ChargedWindow, FlexLine, TokenBlock
from pipeline.rules.pool.entitled import overlaps
from pipeline.rules.tokens.ledger import Ledger
from pipeline.rules.tokens.rates import TokenReading
from pipeline.rules.tokens.team_tokens import tokens_at

WINDOWS_SHOWN_MAX = 100


def debits(ledger: Ledger) -> Iterator[tuple[Entry, Debit]]:
    """The debits of a ledger with their entries, in log order."""
    for entry in ledger.entries.values():
        if isinstance(entry.fact, Debit):
            yield entry, entry.fact


def flex_lines(reading: TokenReading, ledger: Ledger, period: Period) -> tuple[FlexLine, ...]:
    """A line per product and country with a flex entitlement in force or a settled window in the period, sorted.

    A window belongs whole to the period in which it starts. Open windows are on no statement: they are only reserved.
    """
    charged: dict[tuple[str, str], list[Debit]] = {}
    for _, debit in debits(ledger):
        if period.contains(debit.window.start_at):
            charged.setdefault((debit.window.product, debit.window.country), []).append(debit)
    entitled = {
        (entitlement.products[0], entitlement.country)
        for entitlement in reading.contract.entitlements
        if entitlement.model == "flex" and overlaps(entitlement, period.start_at, period.end_at)
    }
    return tuple(
        _flex_line(reading, product, country, period, charged.get((product, country), []))
        for product, country in sorted(entitled | charged.keys())
    )


def _flex_line(reading: TokenReading, product: str, country: str, period: Period, charged: list[Debit]) -> FlexLine:
    in_order = sorted(charged, key=lambda debit: (debit.window.start_at, debit.window.user))
    policy = in_order[0].window.policy if in_order else reading.policy_of(product, country, period.start_at).id
    return FlexLine(
        product=product,
        country=country,
        policy=policy,
        charges=len(charged),
        tokens=sum(debit.tokens for debit in charged),
        uncovered=sum(debit.uncovered for debit in charged),
        windows=tuple(
            ChargedWindow(debit.window.user, debit.window.start_at, debit.tokens, debit.uncovered)
            for debit in in_order[:WINDOWS_SHOWN_MAX]
        ),
    )


def token_block(ledger: Ledger, at: int) -> TokenBlock:
    """The totals of all teams at an instant, by when entries take effect, not by when they were posted."""
    teams = [team.figures for team in tokens_at(ledger, at).values()]
    return TokenBlock(
        granted=sum(team.granted for team in teams),
        debited=sum(team.debited for team in teams),
        expired=sum(team.expired for team in teams),
        balance=sum(team.balance for team in teams),
    )
