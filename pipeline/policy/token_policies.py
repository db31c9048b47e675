"""Token policies: when use of a product is charged in tokens, by effective date (RULES 2 and 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TypedDict, cast

from ruamel.yaml import YAML

from pipeline.model.instants import at_midnight, calendar_day, day_of
from pipeline.policy.durations import parse_duration
from pipeline.policy.timeline import Timeline

_Row = TypedDict(
    "_Row",
    {
        "from": date,
        "window": str,
        "free_connection": str,
        "idle_after": str,
        "offline": str,
        "devices": int,
    },
)


class _Table(TypedDict):
    source: str
    rows: list[_Row]


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """One row of a token policy.

    A charge pays for ``window_ms``; a stretch of at most ``free_connection_ms`` is free; ``idle_after_ms`` after its
    last operation a session is idle; a launch decision is good offline for ``offline_ms``, on ``devices_max`` devices.
    """

    name: str
    valid_from_at: int
    window_ms: int
    free_connection_ms: int
    idle_after_ms: int
    offline_ms: int
    devices_max: int

    @property
    def id(self) -> str:
        """As statements name it: ``autodesk-flex@2021-09-24``."""
        return f"{self.name}@{calendar_day(day_of(self.valid_from_at)).isoformat()}"


TokenTimeline = Timeline[TokenPolicy]


@cache
def token_catalogue() -> Mapping[str, TokenTimeline]:
    """The token policies of RULES 2 by name."""
    text = files(__package__).joinpath("tokens.yaml").read_text(encoding="utf-8")
    tables = cast(dict[str, _Table], YAML(typ="safe", pure=True).load(text))
    return MappingProxyType({name: _timeline(name, table["rows"]) for name, table in tables.items()})


def _timeline(name: str, rows: list[_Row]) -> TokenTimeline:
    filled = rows[0].copy()
    built = []
    for row in rows:
        filled.update(row)
        from_at = at_midnight(filled["from"])
        policy = TokenPolicy(
            name=name,
            valid_from_at=from_at,
            window_ms=parse_duration(filled["window"]),
            free_connection_ms=parse_duration(filled["free_connection"]),
            idle_after_ms=parse_duration(filled["idle_after"]),
            offline_ms=parse_duration(filled["offline"]),
            devices_max=filled["devices"],
        )
        built.append((from_at, policy))
    return Timeline(name, tuple(built))
