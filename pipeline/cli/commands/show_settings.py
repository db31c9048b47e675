"""``seatbeat settings``: every setting, its value now, and what it means."""

from __future__ import annotations

import argparse
import os
from dataclasses import fields

from pipeline.cli.command_list import COMMANDS
from pipeline.cli.tables.cells import literal
from pipeline.cli.tables.console import console
from pipeline.cli.tables.fitted_table import FittedTable
from pipeline.kafka.settings import DESCRIPTIONS, PREFIX, Settings
from pipeline.model.addresses import DSN_VARIABLE, store_address


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("settings", help=COMMANDS["settings"])
    parser.set_defaults(run=run)


def run(_args: argparse.Namespace) -> int:
    """0 with the settings on stdout, without what is secret in addresses."""
    settings = Settings.from_environment(os.environ)
    table = FittedTable()
    table.add_whole("Variable")
    table.add_texts("Value", "Meaning")
    for setting in fields(settings):
        variable, value = f"{PREFIX}{setting.name.upper()}", str(getattr(settings, setting.name))
        shown = store_address(value, variable).shown if variable == DSN_VARIABLE else value
        table.add_row(literal(variable), literal(shown), DESCRIPTIONS[setting.name])
    console().print(table)
    return 0
