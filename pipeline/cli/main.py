"""``seatbeat``: the command line. It ends cleanly however it is ended; the commands are in ``commands``."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

from pipeline.agents.last_resort import FAILED, LastResort, end_s
from pipeline.cli.standard_streams import secure_streams
from pipeline.codec.columns.no_pandas import keep_pandas_out

INTERRUPTED: Final = 130
ENDED_BY: Final = {"SIGTERM": 143, "SIGHUP": 129}
THREAD_S_MAX: Final = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0 done; 1 it failed; 2 the input or the contract is wrong; 130 interrupted, 143 terminated.

    After a signal, a failure, or the command's end the process is gone within ``SEATBEAT_END_S``.
    """
    if arguments is None:
        secure_streams()
        keep_pandas_out()
    last_resort = LastResort(end_s(os.environ), _statuses())
    last_resort.start()
    status = FAILED
    try:
        status = _run(arguments, last_resort)
    finally:
        if arguments is None:
            last_resort.expect_end(status, "done")
        else:
            last_resort.stop()
    if arguments is None:
        _leave_behind_what_hangs(status)
    return status


def _run(arguments: Sequence[str] | None, last_resort: LastResort) -> int:
    with _end_on_signals() as requested:
        try:
            # Loading takes most of a second, in which somebody may already have second thoughts.
            from pipeline.cli.command_registry import run_command  # noqa: PLC0415

            return run_command(arguments, last_resort)
        except KeyboardInterrupt:
            _say("interrupted; nothing is left running, and what was stored stays as it is")
            return requested[0] if requested else INTERRUPTED


def _statuses() -> dict[int, int]:
    """Exit statuses by signal number; Windows lacks some signals."""
    statuses = {getattr(signal, name, None): status for name, status in ENDED_BY.items()}
    return {number: status for number, status in statuses.items() if number is not None} | {signal.SIGINT: INTERRUPTED}


@contextmanager
def _end_on_signals() -> Iterator[list[int]]:
    """SIGTERM and SIGHUP clean up as Ctrl-C does; the list gets the exit status that they request."""
    requested: list[int] = []
    before = {}

    def end(number: int, frame: FrameType | None) -> None:
        requested.append(ENDED_BY[signal.Signals(number).name])
        interrupt = signal.getsignal(signal.SIGINT)
        if not callable(interrupt):
            raise KeyboardInterrupt
        interrupt(signal.SIGINT, frame)

    if threading.current_thread() is threading.main_thread():
        for name in ENDED_BY:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, end)
    try:
        yield requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(text: str) -> None:
    print(f"seatbeat: {text}", file=sys.stderr)


def _leave_behind_what_hangs(status: int) -> None:
    """A thread that waits for something which never comes must not keep a program that is done from ending."""
    for thread in threading.enumerate():
        if thread is threading.current_thread() or thread.daemon:
            continue
        thread.join(THREAD_S_MAX)
        if thread.is_alive():
            sys.stderr.flush()
            os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
