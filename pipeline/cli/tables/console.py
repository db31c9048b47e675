"""Where output goes: results on stdout, everything else on stderr."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import sys
import warnings
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


def report(text: str) -> None:
    """Say something on stderr."""
    print(f"seatbeat: {text}", file=sys.stderr)


def quiet_logs() -> None:
    """Silence what libraries log: the program reports failures itself, and the rest recovers without help."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def program_name() -> str:
    """How to call this program from here: by its name where the shell finds it, else by its path, else as a module."""
    if shutil.which("seatbeat"):
        return "seatbeat"
    if os.access(sys.argv[0], os.X_OK):
        return shlex.quote(os.path.relpath(sys.argv[0]))
    return f"{shlex.quote(sys.executable)} -m pipeline.cli.main"
