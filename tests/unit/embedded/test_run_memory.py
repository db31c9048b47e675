"""Memory of a run: set for its time, and as before after it."""

from __future__ import annotations

import asyncio
import gc

import pyarrow as pa

from pipeline.embedded.run_memory import COLLECTED_AFTER, memory_given_back, run_memory


def test_a_run_seldom_searches_for_cycles_and_leaves_all_as_it_was() -> None:
    before = gc.get_threshold(), pa.default_memory_pool().backend_name, gc.get_freeze_count()
    with run_memory():
        assert (gc.get_threshold(), pa.default_memory_pool().backend_name) == (COLLECTED_AFTER, "system")
        assert gc.get_freeze_count() > 0
    assert (gc.get_threshold(), pa.default_memory_pool().backend_name, gc.get_freeze_count()) == before


def test_memory_is_given_back_until_the_run_ends() -> None:
    async def run() -> None:
        before = asyncio.all_tasks()
        async with memory_given_back(every_s=0):
            [giving_back] = asyncio.all_tasks() - before
            await asyncio.sleep(0)
            assert not giving_back.done()
        await asyncio.wait({giving_back})
        assert giving_back.cancelled()

    asyncio.run(run())
