"""Progress on stderr: a bar on a terminal, nothing in a pipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from pipeline.cli.tables.console import console

_UNITS = {"read": "lines"}


@contextmanager
def stage_progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar per stage; the function given is called with ``(stage, done, of)``."""
    screen = console(stderr=True)
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.completed:>9,.0f} {task.fields[unit]}"),
    )
    with Progress(
        *columns, TimeElapsedColumn(), console=screen, disable=not screen.is_terminal, transient=True
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def show(stage: str, done: int, of: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(
                    stage.removeprefix("seatbeat-"), total=of, unit=_UNITS.get(stage, "messages")
                )
            bars.update(tasks[stage], completed=done, total=of)

        yield show
