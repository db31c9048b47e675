"""``seatbeat settings``: every setting, its value now, and what it means."""

from __future__ import annotations

import argparse
import os
from dataclasses import fields
from urllib.parse import urlsplit

from pipeline.cli.tables.console import console
from pipeline.cli.tables.fitted_table import FittedTable
from pipeline.kafka.settings import DESCRIPTIONS, PREFIX, Settings


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("settings", help="every SEATBEAT_* variable, its value now, and what it means")
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """0 with the settings on stdout, without the passwords in addresses."""
    settings = Settings.from_environment(os.environ)
    table = FittedTable()
    table.add_whole("Variable")
    table.add_texts("Value", "Meaning")
    for setting in fields(settings):
        name, value = setting.name, str(getattr(settings, setting.name))
        table.add_row(f"{PREFIX}{name.upper()}", _without_password(value), DESCRIPTIONS[name])
    console().print(table)
    return 0


def _without_password(value: str) -> str:
    password = urlsplit(value).password if "://" in value else None
    return value.replace(f":{password}@", ":…@") if password else value
