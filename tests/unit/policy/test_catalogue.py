"""The built-in policies are the table of RULES 2, row by row."""

from __future__ import annotations

from datetime import date

from pipeline.model.instants import at_midnight
from pipeline.policy.catalogue import metering_catalogue, token_policy_starts
from pipeline.policy.durations import parse_duration
from pipeline.policy.metering_policies import MeteringPolicy

TABLE = """
bentley-select          | 2006-01-01 | 1h  | counted | 0m  | machine         | - | no
bentley-select          | 2014-04-01 | 1h  | counted | 0m  | machine         | 4 | yes
bentley-select          | 2016-04-01 | 10m | never   | 10m | machine         | 0 | yes
bentley-css             | 2016-04-01 | 10m | never   | 10m | machine         | 0 | yes
bentley-select-deployed | 2014-04-01 | 1h  | counted | 0m  | machine+session | 4 | yes
bentley-select-deployed | 2016-04-01 | 1h  | counted | 0m  | machine+session | 0 | yes
bentley-e365            | 2016-04-01 | 10m | counted | 10m | machine         | 0 | no
bentley-els             | 2016-04-01 | 1d  | counted | 10m | machine         | 0 | no
"""


def written(policy: MeteringPolicy) -> list[object]:
    tolerance_days = "-" if policy.tolerance_days is None else str(policy.tolerance_days)
    opening = "counted" if policy.opening_slot_counts else "never"
    term_licenses = "yes" if policy.term_licenses else "no"
    return [policy.slot_ms, opening, policy.min_use_ms, policy.unit, tolerance_days, term_licenses]


def test_the_catalogue_is_the_table_row_by_row() -> None:
    rows = [[cell.strip() for cell in row.split("|")] for row in TABLE.strip().splitlines()]
    expected = [
        (name, at_midnight(date.fromisoformat(start)), [parse_duration(slot), opening, parse_duration(use), *rest])
        for name, start, slot, opening, use, *rest in rows
    ]
    actual = [(name, at, written(row)) for name, timeline in metering_catalogue().items() for at, row in timeline.rows]
    assert actual == expected


def test_every_row_is_named_by_its_policy_and_its_first_day() -> None:
    ids = [row.id for timeline in metering_catalogue().values() for _, row in timeline.rows]
    assert ids[:3] == ["bentley-select@2006-01-01", "bentley-select@2014-04-01", "bentley-select@2016-04-01"]
    assert len(set(ids)) == len(ids)
    assert all(at == row.valid_from_at for timeline in metering_catalogue().values() for at, row in timeline.rows)


def test_the_token_policy_begins_in_2021() -> None:
    assert token_policy_starts() == {"autodesk-flex": at_midnight(date(2021, 9, 24))}
