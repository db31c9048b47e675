"""What a file that is no debug log looks like, so that its refusal can say what to do with it."""

from __future__ import annotations

import re
from typing import Final

LINE_SHOWN_MAX: Final = 80

_LOOKS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE | re.MULTILINE), what, remedy)
    for pattern, what, remedy in (
        (r"^lm(?:stat|util) - Copyright|^Flexible License Manager status|^Users of \S+:\s+\(Total of",
         "the output of lmstat", "Give the debug log, which lmgrd writes with -l"),
        (r"FLEX(?:lm|net)? ?REPORT ?LOG|^#?REPORTLOG",
         "a report log, which only the vendor's tools can read", "Give the debug log, which lmgrd writes with -l"),
        (r"^\d\d/\d\d(?:/\d{4})? \d\d:\d\d(?::\d\d)? \([^)]+\)|\bRLM License Server\b",
         "a log of RLM", "Seatbeat does not read it; convert it to heartbeats"),
        (r"\bLM-X\b", "a log of LM-X", "Seatbeat does not read it; convert it to heartbeats"),
        (r"LICENSESERV|\bDSLS\b", "a log of DSLS", "Seatbeat does not read it; convert it to heartbeats"),
        (r"\bSentinel\b|\blservrc\b|^\S+ \d+ \w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4} \d+ \S+",
         "a usage log of Sentinel", "Seatbeat does not read it; convert it to heartbeats"),
        (r"^\s*(?:SERVER|VENDOR|DAEMON|INCREMENT|FEATURE|PACKAGE|USE_SERVER)\s+\S+",
         "a licence file", "Give the debug log, which lmgrd writes with -l"),
        (r"\A\s*[\[{]", "JSON", "Leave --format flexnet out if it holds heartbeats"),
        (r"\A\x1f[\x8b\u2039]", "a file compressed with gzip", "Let its name end in .gz, or unpack it"),
        (r"\A\(\xb5/\xfd", "a file compressed with Zstandard", "Let its name end in .zst, or unpack it"),
        (r"^<\?xml|^<html|^<!doctype", "XML or HTML", "Give the debug log, which lmgrd writes with -l"),
    )
)  # fmt: skip


def looks_like(beginning: str) -> tuple[str, str]:
    """What a text's beginning looks like (``''`` where nobody can say), and what to do about it."""
    for pattern, what, remedy in _LOOKS:
        if pattern.search(beginning):
            return what, remedy
    controls = sum(character < " " and character not in "\t\r\n" for character in beginning)
    if controls * 10 > len(beginning):
        return "a binary file", "Give the debug log, which lmgrd writes with -l"
    return "", "Give a FlexNet debug log, which lmgrd writes with -l"


def quoted(line: str) -> str:
    """The beginning of a line, fit for a message."""
    shown = "".join(character if character.isprintable() else "\ufffd" for character in line.strip())
    return f"“{shown[:LINE_SHOWN_MAX]}…”" if len(shown) > LINE_SHOWN_MAX else f"“{shown}”"
