"""Balances, entries, charges and outlooks of the token ledger as people read them."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from typing import cast

from rich.console import Console
from rich.table import Table

from pipeline.cli.tables.output import console, shown
from pipeline.codec.csv_text import csv_cell
from pipeline.codec.reports.token_records import LEDGER_COLUMNS, TokenRecord


def print_balance(screen: Console, head: TokenRecord, teams: Sequence[TokenRecord]) -> None:
    """A table of teams, one of their packs, and up to when all this is settled."""
    table = Table(title="Tokens by team", title_justify="left")
    table.add_column("Team", overflow="fold")
    names = ("granted", "debited", "expired", "balance", "reserved", "available", "uncovered")
    for name in names:
        table.add_column(name.capitalize(), justify="right")
    packs = Table(title="Packs, in the order they pay", title_justify="left")
    for name in ("Team", "Pack", "Purchase", "Valid from", "Until"):
        packs.add_column(name, overflow="fold")
    for name in ("Tokens", "Left", "Price"):
        packs.add_column(name, justify="right")
    for team in teams:
        table.add_row(shown(str(team["team"])), *(f"{team[name]:,}" for name in names))
        for pack in _records(team["packs"]):
            texts = (str(pack["id"]), str(pack["purchase"]))
            price = "" if pack["price"] is None else str(pack["price"])
            packs.add_row(
                shown(str(team["team"])), *map(shown, texts), _minute(pack["purchased_at"]),
                _minute(pack["expires_at"]), f"{pack['tokens']:,}", f"{pack['left']:,}", price,
                style="" if pack["left"] else "dim",
            )  # fmt: skip
    screen.print(table)
    screen.print(packs)
    windows = sum(cast(int, team["open_windows"]) for team in teams)
    until = "nothing is settled yet" if head["settled_until"] is None else f"settled until {head['settled_until']}"
    screen.print(f"{until}; {windows:,} windows are open, their tokens reserved")


def print_ledger(entries: Sequence[TokenRecord], *, is_csv: bool) -> None:
    """The entries, one a row."""
    if is_csv:
        writer = csv.writer(sys.stdout, lineterminator="\r\n")
        writer.writerow(LEDGER_COLUMNS)
        writer.writerows([csv_cell(record[name]) for name in LEDGER_COLUMNS] for record in entries)
        return
    table = Table()
    for name in ("At", "Kind", "Team", "Product", "User"):
        table.add_column(name, overflow="fold")
    for name in ("Change", "Balance", "Uncovered"):
        table.add_column(name, justify="right")
    for name in ("Packs", "Note", "Id"):
        table.add_column(name, overflow="fold")
    for one in entries:
        change = "" if one["change"] is None else f"{one['change']:+,}"
        table.add_row(
            _minute(one["at"]), str(one["kind"]),
            *(shown(str(one[name] or "")) for name in ("team", "product", "user")), change, _number(one["balance"]),
            _number(one["uncovered"]),
            shown(" ".join(cast("list[str]", one["packs"] or []))), shown(str(one["note"] or "")), str(one["id"]),
            style="bold" if one["uncovered"] else "",
        )  # fmt: skip
    screen = console()
    screen.print(table)
    screen.print(f"{len(entries):,} entries in log order; times are UTC")


def print_explanation(screen: Console, charges: Sequence[TokenRecord], free: Sequence[TokenRecord]) -> None:
    """Each charge in a few lines, then what cost nothing."""
    for one in charges:
        screen.print(shown(charge_line(one)))
        for cause in _records(one["caused_by"]):
            screen.print(shown(f"    {stretch_line(cause)}"))
        if not one["caused_by"]:
            screen.print("    no stored evidence is behind it any more; `seatbeat audit` tells more")
    if free:
        screen.print(f"Cost nothing ({len(free):,}):")
    for one in free:
        screen.print(shown(f"    {one['product']} {one['user']}: {stretch_line(one)}; {one['why']} ({one['code']})"))
    screen.print(f"{len(charges):,} charges, {len(free):,} connections that cost nothing; times are UTC")


def charge_line(one: TokenRecord) -> str:
    """A charge in a sentence: whose window, when, and who paid."""
    whose = f"{one['product']} {one['user']}, {_minute(one['start'])} to {_minute(one['end'])}"
    if one["state"] == "open":
        return f"{whose}: {one['rate']} tokens reserved, not settled yet"
    paid = ", ".join(f"{part['tokens']} from {part['pack']}" for part in _records(one["packs"])) or "nothing from packs"
    short = f", {one['uncovered']} uncovered" if one["uncovered"] else ""
    return f"{whose}: {one['rate']} tokens; {paid}{short} (debit {one['entry']})"


def stretch_line(one: TokenRecord) -> str:
    """A stretch of activity: session, machine, from when to when."""
    active = f"active {_minute(one['active_from'])} to {_minute(one['active_until'])}"
    return f"session {one['session']} on {one['machine']}, {active}"


def print_forecast(screen: Console, at: str, teams: Sequence[TokenRecord]) -> None:
    """A line a team, and one for each pack that will not be used up."""
    for one in teams:
        rate = f"{one['charged_30_days']:,} in the last 30 days"
        lasts = "nothing is charged, so they last until they expire" if one["days_left"] is None else (
            f"they last {one['days_left']:,} days at that rate"
        )  # fmt: skip
        screen.print(shown(f"{one['team']}: {one['balance']:,} tokens valid at {at}, {rate}; {lasts}"))
        for gone in _records(one["unused"]):
            text = f"    {gone['tokens']:,} of pack {gone['pack']} expire unused at {gone['expires_at']}"
            screen.print(shown(text), style="bold")
    if not teams:
        screen.print("no tokens were granted yet")


def _records(value: object) -> list[TokenRecord]:
    return cast("list[TokenRecord]", value)


def _number(value: object) -> str:
    return "" if value is None else f"{value:,}"


def _minute(text: object) -> str:
    return str(text)[:16].replace("T", " ")
