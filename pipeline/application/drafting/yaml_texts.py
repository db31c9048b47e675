"""Texts of others in YAML that a person reads: quoted where YAML would take them for something else."""

from __future__ import annotations

import json
import re
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*", re.ASCII)
_OTHER_VALUES: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def yaml_text(text: str) -> str:
    """A text as a scalar: plain where that is certain to be read as this text, else in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _OTHER_VALUES:
        return text
    return json.dumps(text, ensure_ascii=False)


def comment(text: str) -> str:
    """A comment on one line, whatever the text holds."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return f"# {shown}"
