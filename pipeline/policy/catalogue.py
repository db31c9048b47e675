"""The built-in policy tables, read once from the YAML files beside this module."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Generic, TypedDict, TypeVar, cast

from ruamel.yaml import YAML

from pipeline.model.contracts import Unit
from pipeline.model.instants import at_midnight
from pipeline.policy.durations import parse_duration
from pipeline.policy.metering_policies import MeteringPolicy, MeteringTimeline
from pipeline.policy.timeline import Timeline
from pipeline.policy.token_policies import TokenPolicy, TokenTimeline

_MeteringRow = TypedDict(
    "_MeteringRow",
    {
        "from": date,
        "slot": str,
        "opening_slot": str,
        "min_use": str,
        "unit": Unit,
        "tolerance_days": int | None,
        "term_licenses": bool,
    },
)
_TokenRow = TypedDict(
    "_TokenRow",
    {"from": date, "window": str, "free_connection": str, "idle_after": str, "offline": str, "devices": int},
)
_Row = TypeVar("_Row", _MeteringRow, _TokenRow)


class _PolicyTable(TypedDict, Generic[_Row]):
    """A policy in a file. Its first row is whole; each other row holds the fields that change from its date on."""

    source: str
    rows: list[_Row]


@cache
def metering_catalogue() -> Mapping[str, MeteringTimeline]:
    """The metering policies of RULES 2 by name."""
    tables = cast(Mapping[str, _PolicyTable[_MeteringRow]], _yaml("metering.yaml"))
    return MappingProxyType({name: _timeline(name, table, _metering_policy) for name, table in tables.items()})


@cache
def token_catalogue() -> Mapping[str, TokenTimeline]:
    """The token policies of RULES 2 by name."""
    tables = cast(Mapping[str, _PolicyTable[_TokenRow]], _yaml("tokens.yaml"))
    return MappingProxyType({name: _timeline(name, table, _token_policy) for name, table in tables.items()})


@cache
def token_policy_starts() -> Mapping[str, int]:
    """The first instant at which each token policy of RULES 2 is defined, by name."""
    return MappingProxyType({name: timeline.first_at for name, timeline in token_catalogue().items()})


def _yaml(file_name: str) -> object:
    text = files(__package__).joinpath(file_name).read_text(encoding="utf-8")
    return YAML(typ="safe", pure=True).load(text)


_Policy = TypeVar("_Policy", MeteringPolicy, TokenPolicy)


def _timeline(name: str, table: _PolicyTable[_Row], policy: Callable[[str, _Row], _Policy]) -> Timeline[_Policy]:
    built = [policy(name, row) for row in _filled(table["rows"])]
    return Timeline(name, tuple((row.valid_from_at, row) for row in built))


def _filled(rows: list[_Row]) -> Iterator[_Row]:
    """The rows with every field: one that is left out keeps the value of the row above."""
    filled = rows[0].copy()
    for row in rows:
        filled.update(row)
        yield filled.copy()


def _metering_policy(name: str, row: _MeteringRow) -> MeteringPolicy:
    return MeteringPolicy(
        name=name,
        valid_from_at=at_midnight(row["from"]),
        slot_ms=parse_duration(row["slot"]),
        opening_slot_counts=row["opening_slot"] == "counted",
        min_use_ms=parse_duration(row["min_use"]),
        unit=row["unit"],
        tolerance_days=row["tolerance_days"],
        term_licenses=row["term_licenses"],
    )


def _token_policy(name: str, row: _TokenRow) -> TokenPolicy:
    return TokenPolicy(
        name=name,
        valid_from_at=at_midnight(row["from"]),
        window_ms=parse_duration(row["window"]),
        free_connection_ms=parse_duration(row["free_connection"]),
        idle_after_ms=parse_duration(row["idle_after"]),
        offline_ms=parse_duration(row["offline"]),
        devices_max=row["devices"],
    )
