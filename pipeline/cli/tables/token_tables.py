"""Balances, entries, charges and forecasts of the token ledger as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from rich.console import Console

from pipeline.cli.tables.cells import literal
from pipeline.cli.tables.fitted_table import FittedTable
from pipeline.codec.reports.token_records import TokenRecord

_FIGURES: Final = ("granted", "debited", "expired", "balance", "reserved", "available", "uncovered")
"""The fields of a team's balance, in the order of their columns."""


def print_balance(screen: Console, head: TokenRecord, teams: Sequence[TokenRecord]) -> None:
    """A table of teams, a table of their packs, and up to when all this is settled."""
    table = FittedTable("Tokens by team")
    table.add_texts("Team")
    table.add_figures(*map(str.capitalize, _FIGURES))
    packs = FittedTable("Packs, in the order they pay")
    packs.add_texts("Team", "Pack", "Purchase")
    packs.add_whole("Valid from", "Until")
    packs.add_figures("Tokens", "Left", "Price")
    for team in teams:
        table.add_row(literal(str(team["team"])), *(f"{team[name]:,}" for name in _FIGURES))
        for pack in _records(team["packs"]):
            texts = (str(pack["id"]), str(pack["purchase"]))
            price = "" if pack["price"] is None else str(pack["price"])
            packs.add_row(
                literal(str(team["team"])), *map(literal, texts), _minute(pack["purchased_at"]),
                _minute(pack["expires_at"]), f"{pack['tokens']:,}", f"{pack['left']:,}", price,
                style="" if pack["left"] else "dim",
            )  # fmt: skip
    screen.print(table)
    screen.print(packs)
    windows = sum(cast(int, team["open_windows"]) for team in teams)
    until = "nothing is settled yet" if head["settled_until"] is None else f"settled until {head['settled_until']}"
    screen.print(f"{until}; {windows:,} windows are open, their tokens reserved")


def print_ledger(screen: Console, entries: Sequence[TokenRecord]) -> None:
    """The entries in log order, a row each; what no pack could pay stands out."""
    table = FittedTable()
    table.add_whole("At")
    table.add_texts("Kind", "Team", "Product", "User")
    table.add_figures("Change", "Balance", "Uncovered")
    table.add_texts("Packs", "Note", "Id")
    for entry in entries:
        change = "" if entry["change"] is None else f"{entry['change']:+,}"
        packs = " ".join(cast("list[str]", entry["packs"] or []))
        table.add_row(
            _minute(entry["at"]), str(entry["kind"]),
            *(literal(str(entry[name] or "")) for name in ("team", "product", "user")),
            change, _number(entry["balance"]), _number(entry["uncovered"]),
            literal(packs), literal(str(entry["note"] or "")), str(entry["id"]),
            style="bold" if entry["uncovered"] else "",
        )  # fmt: skip
    screen.print(table)
    screen.print(f"{len(entries):,} entries in log order; times are UTC")


def print_charges(screen: Console, charges: Sequence[TokenRecord], free: Sequence[TokenRecord]) -> None:
    """Each charge in a few lines, then what cost nothing."""
    for charge in charges:
        screen.print(literal(charge_sentence(charge)))
        for cause in _records(charge["caused_by"]):
            screen.print(literal(f"    {stretch_sentence(cause)}"))
        if not charge["caused_by"]:
            screen.print("    no stored evidence is behind it any more; `seatbeat audit` tells more")
    if free:
        screen.print(f"Cost nothing ({len(free):,}):")
    for stretch in free:
        whose = f"{stretch['product']} {stretch['user']}"
        screen.print(literal(f"    {whose}: {stretch_sentence(stretch)}; {stretch['why']} ({stretch['code']})"))
    screen.print(f"{len(charges):,} charges, {len(free):,} connections that cost nothing; times are UTC")


def charge_sentence(charge: TokenRecord) -> str:
    """A charge in a sentence: whose window, when, and who paid."""
    whose = f"{charge['product']} {charge['user']}, {moment(charge['start'])} to {moment(charge['end'])}"
    if charge["state"] == "open":
        return f"{whose}: {charge['rate']} tokens reserved, not settled yet"
    parts = ", ".join(f"{part['tokens']} from {part['pack']}" for part in _records(charge["packs"]))
    paid = parts or "nothing from packs"
    short = f", {charge['uncovered']} uncovered" if charge["uncovered"] else ""
    return f"{whose}: {charge['rate']} tokens; {paid}{short} (debit {charge['entry']})"


def stretch_sentence(stretch: TokenRecord) -> str:
    """A stretch of activity in a sentence: session, machine, from when to when."""
    active = f"active {moment(stretch['active_from'])} to {moment(stretch['active_until'])}"
    return f"session {stretch['session']} on {stretch['machine']}, {active}"


def print_forecast(screen: Console, at: str, teams: Sequence[TokenRecord]) -> None:
    """A line per team, and a line per pack that will not be used up."""
    for team in teams:
        rate = f"{team['charged_30_days']:,} in the last 30 days"
        lasts = "nothing is charged, so they last until they expire"
        if team["days_left"] is not None:
            lasts = f"they last {team['days_left']:,} days at that rate"
        screen.print(literal(f"{team['team']}: {team['balance']:,} tokens valid at {at}, {rate}; {lasts}"))
        for pack in _records(team["unused"]):
            text = f"    {pack['tokens']:,} of pack {pack['pack']} expire unused at {pack['expires_at']}"
            screen.print(literal(text), style="bold")
    if not teams:
        screen.print("no tokens were granted yet")


def _records(value: object) -> list[TokenRecord]:
    return cast("list[TokenRecord]", value)


def _number(value: object) -> str:
    return "" if value is None else f"{value:,}"


def moment(text: object) -> str:
    """An instant as exact as it is: to the minute, second or millisecond: 5:00.001 is charged, 5:00 is not."""
    return str(text).removesuffix("Z").replace("T", " ").removesuffix(":00")


def _minute(text: object) -> str:
    return str(text)[:16].replace("T", " ")
