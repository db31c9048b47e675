"""Why a run ends early, as a line for people."""

from __future__ import annotations

from pipeline.store.client import StoreError
from pipeline.store.migrations import MigrationChanged


class PartFailed(Exception):
    """A part of the embedded pipeline failed; the text says which and how."""


def one_line(error: BaseException) -> str:
    """An error in a line of at most 500 characters."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    kind = error.kind if isinstance(error, StoreError) else type(error).__name__
    text = str(error) if isinstance(error, PartFailed | MigrationChanged) else f"{kind}: {error}"
    return text.partition("\n")[0][:500]
