"""A run of the simulation: processes, scheduler and faults under a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final

from pipeline.kafka.topics import HEARTBEATS, HEARTBEATS_DLQ, USAGE
from tests.simulation.auditor import Auditor, Violation
from tests.simulation.broker import Broker
from tests.simulation.environment import Environment
from tests.simulation.faults import EVERYWHERE, Chaos, Fault, Pair
from tests.simulation.inputs import messages
from tests.simulation.schedule import Scheduler, Trace
from tests.simulation.store import StoreModel
from tests.simulation.stored import POLICIES, peaks_by_rules
from tests.simulation.workers import Client, MeterWorker, Process, ProcessFailed, SinkWorker, Task, Worker

SESSION_MS: Final = 6_000
FAULTS_END_MS: Final = 30_000
SETTLED_MS: Final = FAULTS_END_MS + 24_000
"""By then every pause is over and every late commit has arrived."""
LATENCIES_MS: Final = (0, 1, 2, 5, 20, 300)
"""How long a step takes where nothing goes wrong: mostly hardly any time, sometimes long enough for a commit."""
STOPPING_MS_MAX: Final = 3_000
"""How long the other tasks of a process go on when one has failed: Faust commits what is acknowledged as it stops."""
DRAINED_BY_MS: Final = SETTLED_MS + 300_000
WORKERS_MAX: Final = 3
ROLES: Final = ("meter", "sink")


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a run; a defect is planted by replacing a part."""

    meter: type[MeterWorker] = MeterWorker
    sink: type[SinkWorker] = SinkWorker
    store: type[StoreModel] = StoreModel
    auditor: type[Auditor] = Auditor


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a run. ``violation`` is ``''`` if every promise held."""

    seed: int
    violation: str
    hits: frozenset[Pair]
    trace: list[str] = field(repr=False)


def run(seed: int, parts: Parts | None = None, *, traced: bool = False) -> Outcome:
    """Simulate a seed to its end, or to the first broken promise."""
    world = World(seed, parts or Parts(), traced=traced)
    violation = ""
    try:
        world.run()
    except Violation as broken:
        violation = str(broken)
        world.trace.note("auditor", "objects:", violation)
    return Outcome(seed, violation, frozenset(world.chaos.hits), world.trace.lines)


class World:
    """Resumes tasks in virtual time and lets faults happen between their steps."""

    def __init__(self, seed: int, parts: Parts, *, traced: bool) -> None:
        self._chance = Random(f"seatbeat/{seed}")  # noqa: S311  (a simulation, not a secret)
        self._parts = parts
        self._processes: list[Process] = []
        self._started = {"client": 0, "meter": 0, "sink": 0}
        self.scheduler = Scheduler()
        self.trace = Trace(self.scheduler, kept=traced)
        self.chaos = Chaos(seed, self._chance)
        store = parts.store()
        self._auditor = parts.auditor(store)
        broker = Broker(self._chance, self._auditor.appended)
        self._sent = messages(self._chance)
        self.environment = Environment(
            self._chance, self.scheduler, self.trace, broker, store, self._auditor, list(self._sent)
        )
        self._strikes: dict[Fault, Callable[[Process], int]] = {
            Fault.CRASH: self._crash,
            Fault.DELAY: lambda _: self._chance.randint(1, SESSION_MS // 2),
            Fault.PAUSE: self._pause,
            Fault.REBALANCE: self._rebalance,
            Fault.RESET: self._reset,
            Fault.REPLAY: self._replay,
            Fault.STORE_AWAY: self._store_away,
            Fault.BROKER_AWAY: self._broker_away,
        }

    def run(self) -> None:
        """Run with faults for a while, then let everything drain, and check the end with the auditor."""
        self._start("client")
        for role in ROLES:
            for _ in range(self._chance.randint(1, WORKERS_MAX)):
                self._start(role)
        if self._chance.random() < 0.5:
            self.scheduler.after(self._chance.randrange(FAULTS_END_MS), self._store_away)
        self.scheduler.after(FAULTS_END_MS, self._end_faults)
        self.scheduler.after(SETTLED_MS, self._rebalance_all)
        while self.scheduler.now_ms < SETTLED_MS or not self._is_drained():
            if self.scheduler.now_ms > DRAINED_BY_MS:
                raise Violation(f"nothing fails any more, and yet {self.environment.broker.lag()} messages are left")
            self.scheduler.run_next()
        sent = [(frame.key, frame.value) for frame in self._sent]
        peaks = {policy: peaks_by_rules(self.environment.store, policy) for policy in POLICIES}
        self._auditor.ended(sent, peaks)

    def _is_drained(self) -> bool:
        workers = (process for process in self._processes if isinstance(process, Worker))
        environment = self.environment
        return not environment.to_send and not environment.broker.lag() and all(worker.is_idle for worker in workers)

    def _start(self, role: str) -> None:
        self._started[role] += 1
        kinds: dict[str, type[Process]] = {"client": Client, "meter": self._parts.meter, "sink": self._parts.sink}
        process = kinds[role](f"{role}-{self._started[role]}", self.environment)
        self._processes.append(process)
        self.trace.note(process.name, "starts")
        for task in process.tasks():
            self.scheduler.after(self._chance.randint(0, 200), partial(self._resume, process, task, "", None))

    def _resume(self, process: Process, task: Task, step: str, fault: Fault | None) -> None:
        """Let a step take effect and its task continue to the next step."""
        if not process.is_alive:
            return
        if self.scheduler.now_ms < process.frozen_until_ms:
            wait_ms = process.frozen_until_ms - self.scheduler.now_ms
            self.scheduler.after(wait_ms, partial(self._resume, process, task, step, fault))
            return
        if fault is not None and not self.environment.is_in_vain(step):
            self._note_hit(process, step, fault)
        try:
            request = task.send(fault)
        except StopIteration:
            return
        except ProcessFailed as error:
            self.trace.note(process.name, "fails:", error)
            self.scheduler.after(self._chance.randrange(STOPPING_MS_MAX), partial(self._crash, process))
            return
        if isinstance(request, int):
            self.scheduler.after(request, partial(self._resume, process, task, "", None))
        else:
            self._come_to(process, task, request)

    def _come_to(self, process: Process, task: Task, step: str) -> None:
        """Before a step of a task: choose its fault, and when it takes effect."""
        fault = self.chaos.choose(step)
        delay_ms = self._chance.choice(LATENCIES_MS)
        if fault in EVERYWHERE:
            self._note_hit(process, step, fault)
            delay_ms += self._strikes[fault](process)
            fault = None
        self.scheduler.after(delay_ms, partial(self._resume, process, task, step, fault))

    def _note_hit(self, process: Process, step: str, fault: Fault) -> None:
        self.chaos.hits.add((step, fault))
        self.trace.note(process.name, f"! {fault}", "at", step)

    def _crash(self, process: Process) -> int:
        """End a process at once; its group notices when its session times out."""
        if not process.is_alive:
            return 0
        process.is_alive = False
        self._processes.remove(process)
        self.scheduler.after(self._chance.randint(100, 4_000), partial(self._start, process.role))
        self.scheduler.after(SESSION_MS, partial(self._expel, process))
        return 0

    def _pause(self, process: Process) -> int:
        process.frozen_until_ms = self.scheduler.now_ms + self._chance.randint(SESSION_MS + 1, 3 * SESSION_MS)
        self.scheduler.after(SESSION_MS, partial(self._expel, process))
        return 0

    def _expel(self, process: Process) -> None:
        if process.role in ROLES:
            self.environment.broker.groups[process.role].leave(process.name)

    def _rebalance(self, process: Process) -> int:
        """A worker joins, another leaves, or the group is rebalanced during the step."""
        role = process.role if process.role in ROLES else self._chance.choice(ROLES)
        others = [other for other in self._processes if other.role == role and other is not process]
        kind = self._chance.choice(("join", "leave", "anew"))
        if kind == "join" and len(others) + 1 < WORKERS_MAX:
            self._start(role)
        elif kind == "leave" and len(others) > (process.role not in ROLES):
            leaving = self._chance.choice(others)
            leaving.is_alive = False
            self._processes.remove(leaving)
            self._expel(leaving)
        self.environment.broker.groups[role].rebalance()
        return 0

    def _reset(self, process: Process) -> int:
        group = self.environment.broker.groups[process.role if process.role in ROLES else self._chance.choice(ROLES)]
        group.committed = dict.fromkeys(group.places, 0)
        group.rebalance()
        return 0

    def _replay(self, process: Process) -> int:
        topic = self._chance.choice((USAGE, HEARTBEATS_DLQ)) if process.role == "sink" else HEARTBEATS
        broker = self.environment.broker
        for message in list(broker.messages(topic)):
            broker.append(self.scheduler.now_ms, topic, message.key, message.value, message.headers)
        return 0

    def _store_away(self, _: Process | None = None) -> int:
        self.environment.store_is_away = True
        self.scheduler.after(self._chance.randint(1_000, 15_000), self._store_back)
        return 0

    def _store_back(self) -> None:
        self.environment.store_is_away = False

    def _broker_away(self, _: Process) -> int:
        self.environment.broker.is_away = True
        self.scheduler.after(self._chance.randint(1_000, 10_000), self._broker_back)
        return 0

    def _broker_back(self) -> None:
        self.environment.broker.is_away = False

    def _end_faults(self) -> None:
        self.trace.note("world", "nothing fails from here on")
        self.chaos.end()
        self._store_back()
        self._broker_back()

    def _rebalance_all(self) -> None:
        """All members start again from the committed offsets, some of which late commits have set back."""
        for group in self.environment.broker.groups.values():
            group.rebalance()


def first_violation(seeds: Iterable[int], parts: Parts) -> Outcome | None:
    """The first seed with a violation."""
    return next((outcome for outcome in (run(seed, parts) for seed in seeds) if outcome.violation), None)
