"""Starts workers without the cost of imports: a process that has loaded everything forks them.

The imports of a worker take seconds, and tests kill workers hundreds of times. ``python -m tests.chaos.nursery`` reads
a JSON object per line from stdin, ``{"arguments", "environment", "log"}``, and prints ``{"pid"}`` for each in turn, and
``{"pid", "status"}`` when a worker has ended. At the end of stdin it ends with all workers.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import sys
import traceback
from contextlib import suppress
from typing import Any, Final

import orjson

import pipeline.cli.command_registry
import pipeline.store.client  # noqa: F401 -- loaded for the workers
from tests.chaos import worker

_PR_SET_PDEATHSIG: Final = 1


def main() -> int:
    """Serve until stdin ends."""
    wakes, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: set[int] = set()
    unread = b""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(wakes, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                said = os.read(key.fd, 65_536)
                if key.fd == wakes:
                    _tell_who_ended(running)
                elif not said:
                    _end(running)
                    return 0
                else:
                    *lines, unread = (unread + said).split(b"\n")
                    for line in lines:
                        running.add(process_id := _fork(orjson.loads(line)))
                        _say({"pid": process_id})


def _fork(asked: dict[str, Any]) -> int:
    parent = os.getpid()
    process_id = os.fork()
    if process_id:
        return process_id
    status = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        _make_a_worker(asked)
        status = worker.main(asked["arguments"])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stderr.flush()
        os._exit(status)


def _make_a_worker(asked: dict[str, Any]) -> None:
    """Replace the nursery's signal handlers, pipes and environment in a forked worker."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(descriptor, target)
    os.closerange(3, 256)
    os.environ.clear()
    os.environ.update(asked["environment"])


def _tell_who_ended(running: set[int]) -> None:
    for process_id in tuple(running):
        ended, status = os.waitpid(process_id, os.WNOHANG)
        if ended:
            running.discard(ended)
            _say({"pid": ended, "status": os.waitstatus_to_exitcode(status)})


def _end(running: set[int]) -> None:
    for process_id in running:
        with suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGKILL)
        os.waitpid(process_id, 0)


def _say(what: dict[str, int]) -> None:
    os.write(1, orjson.dumps(what) + b"\n")


if __name__ == "__main__":
    sys.exit(main())
