"""Heartbeats as columns, judged by columns: the first half of the hot path (``usage_rows.py`` is the second).

Members of many frames are gathered and judged together. A row is *vouched for* where every field is plainly right: the
account, and what a client says of its program (a *kind*), were judged before as one of few distinct values; names are
printable and short; times are integers in order. Everything else is judged by ``heartbeats.judge``, which alone says
what is wrong. So this file may vouch for too little, which costs time only; a property holds the two equal.

Nothing is remembered by session, so a fleet of any size costs the same for each heartbeat.

Measured (CPU time on one core, frames of 170 heartbeats of different sessions, 100,000 in all): ``orjson.loads`` alone
1.0 us a heartbeat; taking its fields 0.45, numbering accounts and kinds 0.4, texts and their checks 0.35, times 0.25.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple, cast

import numpy as np
import pyarrow as pa

from pipeline.codec.columns.column_checks import (
    TIME_FIELDS,
    Mask,
    Times,
    are_in_order,
    are_integers,
    are_names,
    folded_names,
    texts_of,
    times_of,
)
from pipeline.codec.columns.distinct import (
    KIND_FIELDS,
    REFUSED,
    Numbers,
    distinct_accounts,
    distinct_kinds,
    kind_values,
)
from pipeline.codec.topics.heartbeats import Member, judge
from pipeline.model.errors import InvalidHeartbeat
from pipeline.model.evidence import Heartbeat

_NAMES: Final = ("machine", "user", "session")
_FIELDS: Final = ("account", *_NAMES, "host_session", *KIND_FIELDS, *TIME_FIELDS)


class HeartbeatColumns(NamedTuple):
    """Valid heartbeats, a row each. ``sources`` numbers messages, ``accounts`` and ``kinds`` distinct values."""

    sources: Numbers
    accounts: Numbers
    kinds: Numbers
    names: tuple[pa.StringArray, pa.StringArray, pa.StringArray]
    times: Times


@dataclass(frozen=True, slots=True)
class Fault:
    """A member that is no heartbeat: its message, its index in the frame, itself, and what is wrong."""

    source: int
    index: int
    member: Member
    reason: InvalidHeartbeat


class HeartbeatJudge:
    """Gathers members and judges them by columns. ``accounts`` and ``kinds`` say what the numbers in columns mean."""

    def __init__(self) -> None:
        self.accounts = distinct_accounts()
        self.kinds = distinct_kinds()
        self._restart()

    def _restart(self) -> None:
        self._sources: list[tuple[int, int]] = []
        self._values: dict[str, list[object]] = {name: [] for name in _FIELDS}
        self._are_objects: list[bool] = []

    def __len__(self) -> int:
        return len(self._are_objects)

    def add(self, source: int, members: Sequence[Member]) -> None:
        """Gather the members of a message. Their fields are taken here, while they are in the processor's cache."""
        if not members:
            return
        self._sources.append((source, len(members)))
        columns, are_objects = _fields(members)
        absent = [None] * len(members)
        for name in _FIELDS:
            self._values[name].extend(columns.get(name, absent))
        self._are_objects += are_objects

    def judge(self, members_of: Callable[[int], Sequence[Member]]) -> tuple[list[HeartbeatColumns], list[Fault]]:
        """The valid heartbeats among the members gathered, and the faults of the others; begins anew.

        ``members_of`` gives the members of a source once more: keeping them all would cost more than the rest.
        """
        if not self._sources:
            return [], []
        sources = np.repeat(*np.array(self._sources, np.int32).T)
        columns, vouched = self._columns(sources)
        self._restart()
        valid, faults = list[tuple[int, Heartbeat]](), list[Fault]()
        for source, rows in groupby(np.flatnonzero(~vouched).tolist(), key=lambda row: int(sources[row])):
            members, first_row = members_of(source), int(np.searchsorted(sources, source))
            for row in rows:
                judged = judge(members[row - first_row])
                if isinstance(judged, Heartbeat):
                    valid.append((row, judged))
                else:
                    faults.append(Fault(source, row - first_row, members[row - first_row], judged))
        plain = [self._plain([each for _, each in valid], sources[[row for row, _ in valid]])] if valid else []
        return [each for each in (columns, *plain) if len(each.sources)], faults

    def _columns(self, sources: Numbers) -> tuple[HeartbeatColumns, Mask]:
        """The rows that are vouched for, and which these are."""
        values = self._values
        accounts = self.accounts.numbers(values["account"])
        kinds = self.kinds.numbers(zip(*(values[name] for name in KIND_FIELDS), strict=True))
        machines, users, sessions = (texts_of(values[name]) for name in _NAMES)
        times = times_of(values)
        vouched = np.array(self._are_objects) & are_integers(values["v"]) & (accounts != REFUSED) & (kinds != REFUSED)
        vouched &= are_names(machines) & are_names(users) & are_names(sessions) & are_in_order(*times)
        hosts = values["host_session"]
        if hosts.count(None) < len(hosts):
            vouched &= are_names(texts_of(hosts)) | np.fromiter((host is None for host in hosts), np.bool_)
        columns = HeartbeatColumns(sources, accounts, kinds, (machines, users, sessions), times)
        return _with_folded_names(columns if vouched.all() else _rows(columns, vouched)), vouched

    def _plain(self, heartbeats: Sequence[Heartbeat], sources: Numbers) -> HeartbeatColumns:
        """Columns of heartbeats that were judged one by one."""
        machines, users, sessions = (pa.array([getattr(each, name) for each in heartbeats]) for name in _NAMES)
        times = tuple(np.array([getattr(each, name) for each in heartbeats], np.int64) for name in TIME_FIELDS)
        accounts = self.accounts.numbers([each.account for each in heartbeats])
        kinds = self.kinds.numbers(map(kind_values, heartbeats))
        return HeartbeatColumns(sources, accounts, kinds, (machines, users, sessions), cast(Times, times))


def _fields(members: Sequence[Any]) -> tuple[Mapping[str, Sequence[object]], list[bool]]:
    """The values of each field of some members, ``None`` where a member has none, and which members are objects."""
    try:
        names = tuple(members[0])
        if set(map(len, members)) == {len(names)} and len(names) > 1:
            rows = map(itemgetter(*names), members)
            return dict(zip(names, zip(*rows, strict=True), strict=True)), [True] * len(members)
    except (KeyError, IndexError, TypeError):
        pass  # the members differ in their fields, or are no objects
    objects = [member if type(member) is dict else {} for member in members]
    columns = {name: [member.get(name) for member in objects] for name in _FIELDS}
    return columns, [type(member) is dict for member in members]


def _rows(columns: HeartbeatColumns, kept: Mask) -> HeartbeatColumns:
    names = tuple(texts.filter(pa.array(kept)) for texts in columns.names)
    times = cast(Times, tuple(column[kept] for column in columns.times))
    return HeartbeatColumns(columns.sources[kept], columns.accounts[kept], columns.kinds[kept], names, times)


def _with_folded_names(columns: HeartbeatColumns) -> HeartbeatColumns:
    machines, users, sessions = columns.names
    return columns._replace(names=(folded_names(machines), folded_names(users), sessions))
