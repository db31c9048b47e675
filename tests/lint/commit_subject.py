"""Commit subjects: ``area: imperative``, at most 72 characters, so that the log can be read as a list of changes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

LENGTH_MAX: Final = 72
_SUBJECT: Final = re.compile(r"[a-z0-9][\w./-]*(, ?[a-z0-9][\w./-]*)*: \S")
_GENERATED: Final = ("Merge ", "Revert ", "fixup! ", "squash! ")


def subject_mistake(message: str) -> str:
    """What is wrong with the first line of a commit message, ``''`` where nothing is."""
    subject = next((line for line in message.splitlines() if not line.startswith("#")), "")
    if subject.startswith(_GENERATED):
        return ""
    if len(subject) > LENGTH_MAX:
        return f"the subject has {len(subject)} characters, {LENGTH_MAX} at most; move the why into the body"
    if not _SUBJECT.match(subject):
        return "the subject is not of the form 'area: imperative', such as 'transport: bound what waits by bytes'"
    return "" if not subject.endswith(".") else "the subject ends with a full stop; leave it out"


def main(arguments: list[str]) -> int:
    """Check the message in a file, as git's ``commit-msg`` hook names it; 1 where it is wrong."""
    mistake = subject_mistake(Path(arguments[0]).read_text(encoding="utf-8"))
    if mistake:
        sys.stderr.write(f"{mistake}\n")
    return 1 if mistake else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
