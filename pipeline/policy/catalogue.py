"""The built-in policy tables, read once from the YAML files beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TypedDict, cast

from ruamel.yaml import YAML

from pipeline.model.contracts import Unit
from pipeline.model.instants import at_midnight
from pipeline.policy.durations import parse_duration
from pipeline.policy.metering_policies import MeteringPolicy, MeteringTimeline
from pipeline.policy.timeline import Timeline

_Row = TypedDict(
    "_Row",
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


class _Table(TypedDict):
    source: str
    rows: list[_Row]


@cache
def metering_catalogue() -> Mapping[str, MeteringTimeline]:
    """The metering policies of RULES 2 by name."""
    text = files(__package__).joinpath("metering.yaml").read_text(encoding="utf-8")
    tables = cast(dict[str, _Table], YAML(typ="safe", pure=True).load(text))
    return MappingProxyType({name: _timeline(name, table["rows"]) for name, table in tables.items()})


@cache
def token_policy_starts() -> Mapping[str, int]:
    """The first instant at which each token policy of RULES 2 is defined, by name."""
    text = files(__package__).joinpath("tokens.yaml").read_text(encoding="utf-8")
    tables = cast(dict[str, _Table], YAML(typ="safe", pure=True).load(text))
    return MappingProxyType({name: at_midnight(table["rows"][0]["from"]) for name, table in tables.items()})


def _timeline(name: str, rows: list[_Row]) -> MeteringTimeline:
    filled = rows[0].copy()
    built = []
    for row in rows:
        filled.update(row)
        from_at = at_midnight(filled["from"])
        policy = MeteringPolicy(
            name=name,
            valid_from_at=from_at,
            slot_ms=parse_duration(filled["slot"]),
            opening_slot_counts=filled["opening_slot"] == "counted",
            min_use_ms=parse_duration(filled["min_use"]),
            unit=filled["unit"],
            tolerance_days=filled["tolerance_days"],
            term_licenses=filled["term_licenses"],
        )
        built.append((from_at, policy))
    return Timeline(name, tuple(built))
