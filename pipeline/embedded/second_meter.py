"""The second meter of a run: a process that meters most of the heartbeats, so that two cores work."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import suppress
from typing import Any, Final, cast

from aiokafka import TopicPartition

from pipeline.agents.consuming import Fail
from pipeline.codec.json_text import json_bytes, parse_json
from pipeline.embedded.broker import die_with_parent
from pipeline.embedded.failures import PartFailed
from pipeline.embedded.meter_process import ENDS, FAILED, Work

STOP_S_MAX: Final = 5.0
PROGRAM: Final = """
from pipeline.codec.columns.no_pandas import keep_pandas_out
keep_pandas_out()
from pipeline.embedded.meter_process import main
main()
"""
"""Arrow makes its first arrays while modules are loaded: pandas must be kept out before."""


class SecondMeterFailed(PartFailed):
    """The second meter's process cannot be run, failed, or ended by itself."""


class SecondMeter:
    """The process: started at once, so that it loads while the broker starts, and at work from ``begin`` on."""

    def __init__(self, fail: Fail) -> None:
        self._fail = fail
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._answers = asyncio.Queue[dict[TopicPartition, int]]()
        self._is_ending = False

    async def start(self) -> None:
        """Start the process. It ends with this one. Raises ``SecondMeterFailed`` where it cannot be run."""
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-c", PROGRAM,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=die_with_parent if sys.platform == "linux" else None,
            )  # fmt: skip
        except OSError as error:
            raise SecondMeterFailed(f"the second meter cannot be run: {error.strerror}") from error
        self._listening = asyncio.ensure_future(self._listen(self._process))

    def begin(self, work: Work) -> None:
        """Meter this share."""
        self._write(json_bytes([*work]) + b"\n")

    async def ends(self) -> dict[TopicPartition, int]:
        """The offset after the last message that it wrote, for each partition that it wrote to."""
        self._write(b"\n")
        return await self._answers.get()

    async def stop(self) -> None:
        """Let it commit and leave; ends it after a few seconds."""
        self._is_ending = True
        if self._process is None:
            return
        cast(asyncio.StreamWriter, self._process.stdin).close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), STOP_S_MAX)
        self.end()
        if self._listening is not None:
            await self._listening

    def end(self) -> None:
        """End it at once."""
        self._is_ending = True
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    def _write(self, line: bytes) -> None:
        if self._process is not None:
            cast(asyncio.StreamWriter, self._process.stdin).write(line)

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        while line := await cast(asyncio.StreamReader, process.stdout).readline():
            said = cast(dict[str, Any], parse_json(line))
            if ENDS in said:
                ends = cast(list[tuple[str, int, int]], said[ENDS])
                self._answers.put_nowait({TopicPartition(topic, partition): end for topic, partition, end in ends})
            else:
                self._failed(f"the second meter failed: {said[FAILED]}")
        status = await process.wait()
        self._failed(f"the second meter ended by itself (exit status {status})")

    def _failed(self, reason: str) -> None:
        if not self._is_ending:
            self._fail(SecondMeterFailed(reason))
