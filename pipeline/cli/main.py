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

INTERRUPTED: Final = 130
ENDED_BY: Final = {"SIGTERM": 143, "SIGHUP": 129}
THREAD_S_MAX: Final = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0 done; 1 it failed; 2 the input or the contract is wrong; 130 interrupted, 143 terminated."""
    with _told_to_end() as told:
        try:
            # Loading takes most of a second, in which somebody may already have second thoughts.
            from pipeline.cli.command_registry import run_command  # noqa: PLC0415

            status = run_command(arguments)
        except KeyboardInterrupt:
            status = told[0] if told else INTERRUPTED
            _say("interrupted; nothing is left running, and what was stored stays as it is")
    if arguments is None:
        _leave_behind_what_hangs(status)
    return status


@contextmanager
def _told_to_end() -> Iterator[list[int]]:
    """SIGTERM and SIGHUP clean up as Ctrl-C does; the exit status they ask for is in the list."""
    told: list[int] = []
    before = {}

    def end(number: int, frame: FrameType | None) -> None:
        told.append(ENDED_BY[signal.Signals(number).name])
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
        yield told
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
