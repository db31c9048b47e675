"""``--as-of CLOSE_OR_CONTRACT_VERSION``: what a quarter was closed with, or another version of its contract."""

from __future__ import annotations

import argparse


def add_as_of_option(parser: argparse._ActionsContainer, effect: str) -> None:
    """``effect`` is what another version of the contract leads to."""
    parser.add_argument(
        "--as-of",
        default="",
        metavar="CLOSE_OR_CONTRACT_VERSION",
        help="a close's id or its quarter: what it froze; or a version of the contract, by its hash or the beginning "
        f"of it: {effect}",
    )
