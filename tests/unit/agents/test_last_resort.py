"""The last resort: each case is a hanging process of its own, and how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipeline.agents.last_resort import LastResort, end_s
from pipeline.kafka.settings import Settings
from tests.support.process.processes import ROOT, end
from tests.support.process.seatbeat_process import ended, read_line

pytestmark = pytest.mark.slow

END_S_MAX = 20.0
START = """
import asyncio, ctypes, os, signal, sys, threading, time
from pipeline.agents.last_resort import LastResort

def hang():
    print("hangs", flush=True)
    time.sleep(3600)

def hang_in_c():
    mutex = ctypes.create_string_buffer(128)
    print("hangs", flush=True)
    while True:
        ctypes.CDLL(None).pthread_mutex_lock(mutex)  # the second time for ever, and no signal interrupts it

async def hang_in_loop():
    hang()

signal.signal(signal.SIGTERM, lambda *_: None)
last_resort = LastResort(0.1, {signal.SIGTERM: 143, signal.SIGINT: 130})
last_resort.start()
"""


@contextmanager
def hanging(script: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", START + script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, bufsize=0
    )
    try:
        assert read_line(process) == b"hangs\n"
        yield process
    finally:
        end(process)
        assert process.stderr is not None
        process.stderr.close()


@pytest.mark.parametrize("where", ["hang()", "hang_in_c()", "asyncio.run(hang_in_loop())"])
def test_a_process_that_gets_a_signal_is_gone_with_its_status_wherever_it_hangs(where: str) -> None:
    with hanging(where) as process:
        process.send_signal(signal.SIGTERM)
        outcome = ended(process, END_S_MAX)
    assert outcome.status == 143
    report, _, stacks = outcome.err.partition("\n")
    assert report == "seatbeat: told to end by SIGTERM, and not gone 0.1 s later: left with status 143, hanging in"
    assert "thread MainThread:" in stacks
    assert where.removeprefix("asyncio.run(").partition("(")[0] in stacks


def test_a_failed_process_is_gone_with_the_status_of_a_failure_whatever_signal_comes_later() -> None:
    script = """
print("hangs", flush=True)
threading.Thread(target=last_resort.failed, args=(ValueError("secret"),)).run()
signal.raise_signal(signal.SIGTERM)
time.sleep(3600)
"""
    with hanging(script) as process:
        outcome = ended(process, END_S_MAX)
    assert outcome.status == 1
    assert outcome.err.startswith("seatbeat: failed with ValueError, and not gone 0.1 s later")
    assert "secret" not in outcome.err


def test_a_command_sets_the_exit_status_for_signals() -> None:
    with hanging("last_resort.exit_on_signal(0)\nhang()") as process:
        process.send_signal(signal.SIGTERM)
        assert ended(process, END_S_MAX).status == 0


def test_other_signals_end_nothing() -> None:
    received: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: received.append(number))
    last_resort = LastResort(3600, {signal.SIGTERM: 143})
    last_resort.start()
    try:
        signal.raise_signal(signal.SIGUSR1)
        assert received == [signal.SIGUSR1]
    finally:
        last_resort.stop()
        signal.signal(signal.SIGUSR1, before)
    assert last_resort._end is None


def test_a_process_that_ends_in_time_keeps_its_status_and_reports_nothing() -> None:
    script = """
other = LastResort(3600, {})
other.start()
other.expect_end(1, "done")
print("hangs", flush=True)
other._thread.join(0.2)
sys.exit(3)
"""
    with hanging(script) as process:
        outcome = ended(process, END_S_MAX)
    assert (outcome.status, outcome.err) == (3, "")


def test_a_process_is_gone_although_nobody_reads_its_report() -> None:
    script = """
os.set_blocking(2, False)
try:
    while True:
        os.write(2, b"x" * 4096)
except BlockingIOError:
    os.set_blocking(2, True)
hang()
"""
    with hanging(script) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_S_MAX) == 143


def test_once_stopped_it_ends_nothing_and_receives_no_signal() -> None:
    before = signal.set_wakeup_fd(-1)
    try:
        last_resort = LastResort(0.01, {signal.SIGTERM: 143})
        last_resort.start()
        last_resort.stop()
        last_resort.expect_end(1, "late")
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.set_wakeup_fd(before)


@pytest.mark.parametrize(("text", "seconds"), [("7", 7), ("", None), ("x", None), ("0", 1), ("1.5", None)])
def test_the_time_is_a_setting_and_an_invalid_number_means_the_default(text: str, seconds: int | None) -> None:
    assert end_s({"SEATBEAT_END_S": text}) == (seconds if seconds is not None else Settings().end_s)
    assert end_s({}) == Settings().end_s
