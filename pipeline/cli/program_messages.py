"""What the program says about itself, on stderr: results alone go to stdout. Loads nothing, as --version shows."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import sys
import warnings


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
