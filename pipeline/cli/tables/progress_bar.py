"""Progress on stderr: a bar on a terminal, nothing in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn, TimeElapsedColumn

from pipeline.cli.tables.console import console

_UNITS: Final = {"read": "lines"}
BAR_FROM_COLUMNS: Final = 60
"""In a narrower terminal a bar would take the room of the figures, which would be cut."""


@contextmanager
def stage_progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar per stage; the function given is called with ``(stage, done, of)``."""
    screen = console(stderr=True)
    columns: list[ProgressColumn] = [
        TextColumn("{task.description:<10}"),
        TextColumn("{task.completed:>9,.0f} {task.fields[unit]}"),
        TimeElapsedColumn(),
    ]
    if screen.width >= BAR_FROM_COLUMNS:
        columns.insert(1, BarColumn())
    with Progress(*columns, console=screen, disable=not screen.is_terminal, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, of: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(
                    stage.removeprefix("seatbeat-"), total=of, unit=_UNITS.get(stage, "messages")
                )
            bars.update(tasks[stage], completed=done, total=of)

        yield show
