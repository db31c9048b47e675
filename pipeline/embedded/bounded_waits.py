"""Waiting that ends: a part that does not stop in time is left behind, and a store is open before it is closed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from pipeline.embedded.failures import one_line

Answer = TypeVar("Answer")


async def within(seconds: float, ending: Awaitable[object]) -> None:
    """Wait for an end at most so long; a part that has not ended by then is left behind."""
    task = asyncio.ensure_future(ending)
    await asyncio.wait({task}, timeout=seconds)
    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
        logging.getLogger(__name__).error("%s while the pipeline was stopping", one_line(error))


async def even_if_cancelled(future: asyncio.Future[Answer]) -> None:
    """Wait even if cancelled: a store that is being opened must be open before it can be closed."""
    try:
        await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait({future})
        raise


def retrieve_error(failure: asyncio.Future[None]) -> None:
    """Or asyncio would report an error that nobody retrieved, such as a failure while everything stops."""
    if not failure.cancelled():
        failure.exception()
