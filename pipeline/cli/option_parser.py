"""The parser of all commands: what no codec can hold is refused where it is read, whichever option it is for.

A command line is bytes. Python gives those that are no text in the terminal's encoding as surrogates, which neither
JSON, Kafka nor the store can hold. Only the name of a file may have them: such options have a type of their own.
"""

from __future__ import annotations

import argparse
from typing import Any, Final, NoReturn

SHOWN_MAX: Final = 40
_PLACED: Final = "argument "


class OptionParser(argparse.ArgumentParser):
    """Parses options, those of subcommands too. A value that cannot be used is refused in a line, with its option."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register("type", None, plain_text)
        self.register("type", int, whole_number)

    def add_subparsers(self, **kwargs: Any) -> Any:
        """As in ``argparse``; the words behind a subcommand are judged by its own parser."""
        subparsers = super().add_subparsers(**kwargs)
        subparsers.type = str
        return subparsers

    def error(self, message: str) -> NoReturn:
        """End with status 2: for a value in one line, else with the usage before it."""
        if message.startswith(_PLACED):
            self.exit(2, f"seatbeat: {message.removeprefix(_PLACED)}. See `{self.prog} --help`\n")
        super().error(message)


def plain_text(text: str) -> str:
    """A text. Raises ``argparse.ArgumentTypeError`` for bytes that are no text."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise argparse.ArgumentTypeError(f"{_shown(text)} holds bytes that are no text. Write it in UTF-8")
    return text


def whole_number(text: str) -> int:
    """A whole number, which its command checks. Raises ``argparse.ArgumentTypeError`` for a text that is none."""
    if len(text) > SHOWN_MAX:
        reason = f"{_shown(text)} has {len(text):,} characters. A number has {SHOWN_MAX} at most"
        raise argparse.ArgumentTypeError(reason)
    try:
        return int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{_shown(text)} is no whole number such as 250") from error


def file_name(text: str) -> str:
    """The name of a file, which may hold any bytes."""
    return text


def _shown(text: str) -> str:
    return ascii(text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}...")
