"""Keeps worker processes running, like a supervisor: a process that ends is started again."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from tests.chaos.steps import Order, Role, read_hits
from tests.support.process.processes import ROOT, end, spawn

ENDS_S_MAX: Final = 60.0
ENDED_WELL: Final = (0, 143, -signal.SIGTERM)
"""The signal itself ends a worker that has not installed its handler yet."""
_PAUSE_S: Final = 0.3
"""Pause before a failed worker is started again, for example while a broker or the store is away."""


class Process(Protocol):
    """The part of ``subprocess.Popen`` that a keeper uses."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...


class Forked:
    """A worker of the nursery."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended = threading.Event()
        self._status: int | None = None

    def end_with(self, status: int) -> None:
        self._status = status
        self._ended.set()

    def poll(self) -> int | None:
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        """Raises ``subprocess.TimeoutExpired``."""
        if not self._ended.wait(timeout) or self._status is None:
            raise subprocess.TimeoutExpired("worker", timeout or 0.0)
        return self._status

    def send_signal(self, sig: int) -> None:
        if self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, sig)


class Nursery:
    """Starts workers by the process ``tests.chaos.nursery``. ``with`` starts it, and ends it with every worker."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes]
        self._started: list[Forked] = []
        self._running: dict[int, Forked] = {}
        self._lock, self._answered = threading.Lock(), threading.Condition()

    def __enter__(self) -> Nursery:
        command = [sys.executable, "-m", "tests.chaos.nursery"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        threading.Thread(target=self._listen, daemon=True, name="nursery").start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(ENDS_S_MAX)
        end(self._process)

    def fork(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Forked:
        """Start a worker with the arguments of ``tests.chaos.worker``."""
        asked = {"arguments": list(arguments), "environment": dict(environment), "log": str(log)}
        with self._lock, self._answered:
            started_before = len(self._started)
            if self._process.stdin is None:
                raise BrokenPipeError("the nursery has no stdin")
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
            if not self._answered.wait_for(lambda: len(self._started) > started_before, ENDS_S_MAX):
                raise TimeoutError("the nursery did not start a worker")
            return self._started[-1]

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            answer = json.loads(line)
            with self._answered:
                if "status" in answer:
                    self._running.pop(answer["pid"]).end_with(answer["status"])
                else:
                    self._started.append(Forked(answer["pid"]))
                    self._running[answer["pid"]] = self._started[-1]
                    self._answered.notify_all()


Start = Callable[[Sequence[str]], Process]
"""Starts a worker with arguments before its role."""


def as_command(role: Role, environment: Mapping[str, str], log: Path) -> Start:
    """Workers as in production: each is a process ``python -m pipeline.cli.main worker ROLE`` without faults."""

    def start(arguments: Sequence[str]) -> Process:
        if arguments:
            raise ValueError(f"the command itself takes no {' '.join(arguments)}")
        command = [sys.executable, "-m", "pipeline.cli.main", "worker", role]
        return spawn(command, log=log, environment=environment)

    return start


def as_fork(nursery: Nursery, role: Role, environment: Mapping[str, str], log: Path) -> Start:
    """Workers with the entry point of the tests, forked by the nursery."""

    def start(arguments: Sequence[str]) -> Process:
        return nursery.fork([*arguments, role], environment, log)

    return start


class Keeper:
    """Keeps a worker running. ``orders`` has the fault of each process in turn; later processes have no fault.

    ``always`` are arguments of every process.
    """

    def __init__(
        self,
        role: Role,
        start: Start,
        hits: Path,
        log: Path,
        orders: Iterator[Order] | None = None,
        always: Sequence[str] = (),
    ) -> None:
        self.role, self._start, self._hits, self._log, self._always = role, start, hits, log, tuple(always)
        self._orders = orders if orders is not None else iter(())
        self._stopping, self._changed = threading.Event(), threading.Condition()
        self.process: Process | None = None
        self.statuses: list[int] = []
        """The exit status of each process, in turn."""
        self.failure: BaseException | None = None
        self.ended_well = False
        """Whether the last process ended as requested."""
        self._thread = threading.Thread(target=self._keep, daemon=True, name="keeper")
        self._thread.start()

    @property
    def starts(self) -> int:
        """The number of processes so far."""
        return len(self.statuses) + (self.process is not None)

    def send(self, which: signal.Signals) -> int:
        """Send a signal to the running process; returns its process id."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.process is not None, ENDS_S_MAX) or self.process is None:
                raise TimeoutError("no worker was started")
            self.process.send_signal(which)
            return self.process.pid

    def until_ended(self, count: int, within_s: float) -> bool:
        """Wait until ``count`` processes have ended."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.statuses) >= count, within_s)

    def hits(self) -> Counter[str]:
        """Counts of the faults at each step."""
        return read_hits([self._hits])

    def said(self, text: str) -> int:
        """The number of occurrences of a text in the log."""
        return self._log.read_text(errors="replace").count(text) if self._log.exists() else 0

    def report(self) -> str:
        """The statuses of the processes and the end of their log."""
        said = self._log.read_text(errors="replace").splitlines()[-15:] if self._log.exists() else []
        return "\n".join([f"{self.role} ended with {self.statuses[-20:]} {self.failure or ''}:", *said])

    def end(self, which: signal.Signals = signal.SIGTERM) -> None:
        """End the worker and wait; it is killed if it does not end in time, and then its status shows it."""
        self.ended_well |= which is signal.SIGKILL
        self._stopping.set()
        with self._changed:
            process = self.process
        if process is not None:
            process.send_signal(which)
            process.send_signal(signal.SIGCONT)
        self._thread.join(ENDS_S_MAX)
        if self._thread.is_alive() and self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self._thread.join(ENDS_S_MAX)
        self.ended_well |= self.failure is None and (self.statuses[-1:] or [0])[0] in ENDED_WELL

    def _keep(self) -> None:
        try:
            while not self._stopping.is_set():
                order = next(self._orders, None)
                process = self._start([*self._arguments(order)])
                with self._changed:
                    self.process = process
                    self._changed.notify_all()
                if self._stopping.is_set():
                    process.send_signal(signal.SIGTERM)
                status = process.wait()
                with self._changed:
                    self.process = None
                    self.statuses.append(status)
                    self._changed.notify_all()
                if status > 0:
                    self._stopping.wait(_PAUSE_S)
        except BaseException as error:  # noqa: BLE001 -- told by stop(), in the thread of the test
            self.failure = error

    def _arguments(self, order: Order | None) -> Iterator[str]:
        if order is not None:
            yield from ("--at", str(order), "--hits", str(self._hits))
        yield from self._always


def repeated(orders: Sequence[Order]) -> Iterator[Order]:
    """The same orders over and over."""
    return itertools.cycle(orders)
