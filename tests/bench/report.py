"""The table of a run, as people read it, and its place in the README."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Final

from tests.bench.results import FIGURES, RATIOS, Results, Target, machine

BEGIN: Final = "<!-- make bench -->"
END: Final = "<!-- /make bench -->"
_VERDICTS: Final = {True: "yes", False: "**no**", None: ""}


def table(results: Results) -> str:
    """Markdown: every ratio and figure with its median, its spread and its target."""
    ran_on = machine()
    lines = [
        f"Measured on {results.broker}, {ran_on['cores']} cores ({ran_on['cpu']}). Medians, smallest and largest.",
        "",
        "| ratio | median | spread | target | met | what it is |",
        "|---|---:|---:|---:|---|---|",
        *_rows(RATIOS, results.ratios),
        "",
        "| figure | median | spread | target | met | what it is |",
        "|---|---:|---:|---:|---|---|",
        *_rows(FIGURES, results.figures),
    ]
    return "\n".join(lines)


def _rows(targets: dict[str, Target], found: dict[str, list[float]]) -> list[str]:
    return [
        f"| `{name}` | {_shown(statistics.median(values))} | {_spread(values)} | "
        f"{target if target.value is not None else '-'} | {_VERDICTS[target.met(statistics.median(values))]} "
        f"| {target.means} |"
        for name, target in targets.items()
        if (values := found.get(name))
    ]


def _spread(values: list[float]) -> str:
    return "once" if len(values) == 1 else f"{_shown(min(values))} … {_shown(max(values))}"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def write_readme(readme: Path, results: Results) -> None:
    """Put the table between its marks. Raises ``ValueError`` where the README has none."""
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise ValueError(f"{readme.name} has no {BEGIN} … {END}")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    readme.write_text(f"{before}{BEGIN}\n{table(results)}\n{END}{after}", encoding="utf-8")
