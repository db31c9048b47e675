"""What people read of a run: its headline and its table, written between marks into the documents."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.bench.results import FIGURES, RATIOS, Results, Target, machine

BEGIN: Final = "<!-- make bench -->"
END: Final = "<!-- /make bench -->"
_VERDICTS: Final = {True: "yes", False: "**no**", None: ""}


def headline(figures: Mapping[str, float]) -> str:
    """The speed of the large fleet and of the small fleet, from the medians of a run."""
    small, large = figures["durable_per_s"], figures["many_sessions_per_s"]
    return (
        f"One meter process takes **{_rounded(large)} heartbeats a second** from 100,000 desktops with a session each, "
        f"and **{_rounded(small)}** from 2,000\n"
        "(in frames; every result is produced and committed)."
    )


def _rounded(per_s: float) -> str:
    return f"{round(per_s, -3):,.0f}"


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


def _rows(targets: dict[str, Target], measured: dict[str, list[float]]) -> list[str]:
    return [
        f"| `{name}` | {_shown(statistics.median(values))} | {_spread(values)} | "
        f"{target if target.value is not None else '-'} | {_VERDICTS[target.met(statistics.median(values))]} "
        f"| {target.means} |"
        for name, target in targets.items()
        if (values := measured.get(name))
    ]


def _spread(values: list[float]) -> str:
    return "once" if len(values) == 1 else f"{_shown(min(values))} … {_shown(max(values))}"


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def write_documents(readme: Path, benchmarks: Path, results: Results) -> None:
    """Put the headline into the README, and the headline with the table into ``docs/benchmarks.md``.

    Raises ``ValueError`` where a document has no marks.
    """
    says = headline({name: statistics.median(values) for name, values in results.figures.items()})
    _write_between_marks(readme, says)
    _write_between_marks(benchmarks, f"{says}\n\n{table(results)}")


def between_marks(text: str) -> str:
    """What a document holds between its marks. Raises ``ValueError`` where it has none."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"the document has no {BEGIN} … {END}")
    return text.split(BEGIN, 1)[1].split(END, 1)[0].strip("\n")


def _write_between_marks(document: Path, content: str) -> None:
    text = document.read_text(encoding="utf-8")
    try:
        between_marks(text)
    except ValueError as error:
        raise ValueError(f"{document.name}: {error}") from None
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    document.write_text(f"{before}{BEGIN}\n{content}\n{END}{after}", encoding="utf-8")
