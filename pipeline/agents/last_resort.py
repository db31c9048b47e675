"""The last resort: a process that must end, by a signal or after a failure, is gone in time, whatever hangs in it.

A thread of its own measures that time, because the event loop or the main thread may hang. Python runs no signal
handler while its main thread hangs, but it writes the number of each signal to the wakeup descriptor, and the thread
reads that. Only code that never releases the interpreter's lock is out of reach.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from pipeline.kafka.settings import PREFIX, Settings

FAILED: Final = 1
REPORT_S_MAX: Final = 1.0
"""If nobody reads standard error, the process ends without the report."""
_STDERR: Final = 2


class _End(NamedTuple):
    status: int
    why: str
    deadline_s: float


class LastResort:
    """Ends this process ``end_s`` seconds after the first signal, or the first ``expect_end``, if it still runs then.

    ``statuses`` are the exit statuses by signal number, for signals that have a handler in Python.
    """

    def __init__(self, end_s: float, statuses: Mapping[int, int]) -> None:
        self._end_s, self._statuses = end_s, dict(statuses)
        self._end: _End | None = None
        self._lock = threading.Lock()
        self._stopped = False
        self._receiver, self._sender = socket.socketpair()
        self._fd_before: int | None = None

    def start(self) -> None:
        """Start the thread; signals are received only if this is the main thread."""
        self._sender.setblocking(False)
        if threading.current_thread() is threading.main_thread():
            self._fd_before = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._watch, daemon=True, name="last-resort")
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread: from now on nothing ends the process."""
        if self._fd_before is not None:
            signal.set_wakeup_fd(self._fd_before)
        self._stopped = True
        self._wake()
        self._thread.join()
        self._receiver.close()
        self._sender.close()

    def exit_on_signal(self, status: int) -> None:
        """Set the exit status for every signal."""
        self._statuses = dict.fromkeys(self._statuses, status)

    def expect_end(self, status: int, why: str) -> None:
        """The process must end from now on. Any thread may call it; only the first call, or signal, counts."""
        with self._lock:
            if self._end is None:
                self._end = _End(status, why, time.monotonic() + self._end_s)
        self._wake()

    def failed(self, error: BaseException) -> None:
        """The process must end because of an error: a ``Fail``."""
        self.expect_end(FAILED, f"failed with {type(error).__name__}")

    def _wake(self) -> None:
        with suppress(OSError):  # full, so that the thread wakes anyway; or closed, so that it has ended
            self._sender.send(b"\0")

    def _watch(self) -> None:
        while not self._stopped:
            left_s = None if self._end is None else self._end.deadline_s - time.monotonic()
            if self._end is not None and left_s is not None and left_s <= 0:
                self._leave(self._end)
            self._receiver.settimeout(left_s)
            with suppress(TimeoutError):
                for number in self._receiver.recv(1024):
                    if number in self._statuses:
                        self.expect_end(self._statuses[number], f"told to end by {signal.Signals(number).name}")

    def _leave(self, end: _End) -> None:
        reporting = threading.Thread(target=self._report, args=(end,), daemon=True)
        reporting.start()
        reporting.join(REPORT_S_MAX)
        os._exit(end.status)

    def _report(self, end: _End) -> None:
        """Write without Python's streams and loggers: a thread that hangs may hold their locks."""
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        stacks = "".join(
            f"thread {names.get(number, number)}:\n{''.join(traceback.format_stack(frame))}"
            for number, frame in sys._current_frames().items()  # noqa: SLF001 -- the documented way to all threads
            if number not in {threading.get_ident(), self._thread.ident}
        )
        text = f"seatbeat: {end.why}, and not gone {self._end_s:g} s later: left with status {end.status}, hanging in\n"
        os.write(_STDERR, (text + stacks).encode(errors="replace"))


def end_s(environment: Mapping[str, str]) -> int:
    """``SEATBEAT_END_S``, or its default if it is not a valid number: the command itself refuses that."""
    text = environment.get(f"{PREFIX}END_S", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() else Settings().end_s
