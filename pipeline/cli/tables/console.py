"""Tables and other laid out text, on stdout or stderr."""

from __future__ import annotations

import sys
from typing import Final

from rich.console import Console

PIPE_COLUMNS: Final = 10_000
"""Wider than any line, so that no line is broken where programs read it."""


class _Console(Console):
    """A console that raises where its reader has gone: the command registry handles that for all commands.

    Rich itself would end the process with status 1.
    """

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console that never breaks a line of a report in a pipe."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PIPE_COLUMNS
    return _Console(file=stream, width=width, highlight=False, soft_wrap=False)
