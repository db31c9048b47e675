"""Parts of documents that are made from code: ``python -m tests.support.documents`` writes them anew."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Final

from pipeline.kafka.settings import DESCRIPTIONS, PREFIX, Settings

ROOT: Final = Path(__file__).resolve().parents[2]
SETTINGS: Final = ROOT / "docs" / "operate" / "settings.md"
BEGIN: Final = "<!-- seatbeat settings -->"
END: Final = "<!-- /seatbeat settings -->"


def settings_table() -> str:
    """Every setting with its default and its meaning, in the order of ``seatbeat settings``."""
    rows = [
        f"| `{PREFIX}{setting.name.upper()}` | {_code(str(setting.default))} | {DESCRIPTIONS[setting.name]} |"
        for setting in fields(Settings)
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def settings_page(text: str) -> str:
    """The page with the table between its marks replaced by what the code says."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{settings_table()}\n{END}{after}"


def _code(value: str) -> str:
    return f"`{value}`" if value else "empty"


if __name__ == "__main__":
    SETTINGS.write_text(settings_page(SETTINGS.read_text(encoding="utf-8")), encoding="utf-8")
