"""Reads the scenarios of ``pooled`` and ``people``: tables of use and of the expected counts and lines.

A file begins with the contract of its scenarios; a scenario begins with ``=== its name``. A block is indented under a
heading, a word with a colon:

``contract:``  YAML instead of the file's; account, country CZ and currency EUR may be omitted.
``use:``       a line is a session: ``2022-05-03 15:01 to 15:42  eva on PC1``. A range of days repeats it each day,
               a range of machines (``PC1..PC3``) on each machine. What follows is ``name=value`` of a heartbeat
               (``active=15:05``: the last operation), or ``closed`` if a close ends it instead of a beat. Lines
               with the same ``session`` are a single session, opened when the first of them begins.
               ``2022-05-03 17:00 bare close  eva on PC1`` has no evidence.
``counts:``    every slot in which anything counts: ``2022-05-03 15:10..15:40 : 2  MSTN CZ``. Two dots mean every ten
               minutes between. Product and country may be omitted.
``commands:``  orders in log order, each after its id: ``c1 assign STAAD to jana at 2022-05-01 08:00``, with
               ``replacing petr``; ``c2 release STAAD of jana at 2022-06-01 08:00``; ``c3 checkout MSTN for petr on PC2
               from 2022-05-03 00:00 to 2022-05-04 00:00``; ``c4 checkin c3 at 2022-05-03 12:00``. ``country=SK`` and
               ``model=practitioner`` may follow.
``refusals:``  refused orders: ``c1 locked, possible 2022-05-31 08:00``; entries of a contract's list by their place.
``lines 2022Q2:``   all lines of the statement with some of their columns; ``-`` means empty.
``refused 2005Q4:`` the error that replaces counts and lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pipeline.codec.contract.examination import read_contract
from pipeline.model.contracts import Contract
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import BASE_SLOT_MS, DAY_MS, Period, at_midnight, calendar_day
from pipeline.model.money import format_money
from pipeline.model.orders import (
    Assign,
    AssignableModel,
    CheckIn,
    CheckOut,
    Command,
    Logged,
    Order,
    Refused,
    Release,
)
from pipeline.model.statements import PooledLine, SeatLine
from pipeline.model.text import fold
from pipeline.rules.people.holders import listed_orders
from pipeline.rules.pool.counting import Pool
from tests.support.evidence.evidence_shorthand import beating, heartbeat, instant

Counts = dict[Pool, dict[int, int]]
Cells = Mapping[str, str]

_USE = re.compile(
    r"(?P<first>\S{10})(?:\.\.(?P<last>\S{10}))? (?P<since>[\d:.]+) "
    r"(?:to (?P<at>(?:\S{10} )?[\d:.]+)|(?P<bare>bare close)) +(?P<user>\S+) on (?P<machine>\S+)(?P<rest>.*)"
)
_ORDER = re.compile(
    r"(?P<id>\S+) +(?P<kind>assign|release|checkout|checkin) +(?P<what>\S+)"
    r"(?: +(?:to|of|for) (?P<user>\S+))?(?: on (?P<machine>\S+))?(?: at (?P<at>\S+ [\d:.]+))?"
    r"(?: from (?P<from_at>\S+ [\d:.]+) to (?P<until_at>\S+ [\d:.]+))?(?: replacing (?P<replaces>\S+))?(?P<rest>.*)"
)
_OPTIONS = {"session", "product", "country", "usage", "version", "opened", "active", "resumed"}
_MACHINES = re.compile(r"(\D+)(\d+)\.\.\1(\d+)")


@dataclass(frozen=True, slots=True)
class Scenario:
    """Use under a contract and the expected results. ``heartbeats`` is the use as few heartbeats, ``beats`` as many."""

    name: str
    contract: Contract
    heartbeats: tuple[Heartbeat, ...]
    beats: tuple[Heartbeat, ...]
    counts: Counts
    lines: Mapping[str, tuple[Cells, ...]]
    refused: Mapping[str, str]
    commands: tuple[Logged, ...] = ()
    refusals: tuple[str, ...] = ()
    tells_counts: bool = True
    blocks: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def periods(self) -> list[Period]:
        """The quarters of the scenario's use and expectations."""
        starts = {Period.containing(whole.opened_at) for whole in self.heartbeats} | {
            Period.containing(whole.at) for whole in self.heartbeats
        }
        starts |= {Period.containing(at) for slots in self.counts.values() for at in slots}
        named = {Period.parse(name) for name in (*self.lines, *self.refused)}
        return sorted(starts | named, key=lambda period: period.start_at)


@dataclass(slots=True)
class _Blocks:
    name: str
    blocks: dict[str, list[str]] = field(default_factory=dict)


def read_scenarios(path: Path) -> Iterator[Scenario]:
    """Every scenario of a file."""
    head, *blocks_of_scenarios = _split(path)
    for number, scenario in enumerate(blocks_of_scenarios, 1):
        yield _scenario(scenario, f"{path.stem} {number}", {**head.blocks, **scenario.blocks})


def refusal(contract: Contract, refused: Refused) -> str:
    """A refusal in the notation of the tables."""
    places = {order.id: "{}[{}]".format(*order.place) for order in listed_orders(contract)}
    possible = "" if refused.possible_at is None else f", possible {_written_slots((refused.possible_at,))}"
    return f"{places.get(refused.id, refused.id)} {refused.code}{possible}"


def cells(line: PooledLine | SeatLine, currency: str, columns: Mapping[str, str]) -> Cells:
    """The columns of a statement's line in the notation of the tables."""

    def money(minor: int | None) -> str:
        return "-" if minor is None else format_money(minor, currency)

    written = dict.fromkeys(columns, "-") | {
        "product": line.product,
        "country": line.country,
        "model": line.model,
        "policy": line.policy,
        "entitled": str(line.entitled),
    }
    if isinstance(line, SeatLine):
        written |= {
            "users": " ".join(line.users) or "-",
            "overflow": "-" if line.overflow is None else str(line.overflow),
        }
        return {column: written[column] for column in columns}
    written |= {
        "peak": str(line.peak),
        "peak slots": _written_slots(line.peak_slots),
        "overuse": str(line.overuse),
        "overuse slots": _written_slots(line.overuse_slots),
        "overuse days": str(line.overuse_days),
        "term licences": str(line.term_licenses),
        "unit price": money(line.unit_price),
        "amount": money(line.amount),
    }
    return {column: written[column] for column in columns}


def read_blocks(path: Path) -> list[tuple[str, dict[str, list[str]]]]:
    """The blocks of each scenario with its name; blocks of the file's head apply to all scenarios."""
    head, *scenarios = _split(path)
    return [(scenario.name, {**head.blocks, **scenario.blocks}) for scenario in scenarios]


def read_use(rows: list[str], account: str) -> list[Heartbeat]:
    """The heartbeats of a block ``use:``."""
    return list(_heartbeats(rows, account))


def terms_text(rows: list[str], account: str) -> bytes:
    """The file of a block ``contract:``."""
    said = {line.partition(":")[0] for line in rows}
    head = {"account": account, "country": "CZ", "currency": "EUR"}
    return "\n".join([*(f"{name}: {value}" for name, value in head.items() if name not in said), *rows]).encode()


def _split(path: Path) -> list[_Blocks]:
    scenarios, block = [_Blocks(path.stem)], list[str]()
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("=== "):
            scenarios.append(_Blocks(line.removeprefix("=== ")))
        elif line.startswith("  "):
            block.append(line[2:])
        elif line.endswith(":") and not line.startswith("#"):
            block = scenarios[-1].blocks.setdefault(line[:-1], [])
        else:
            assert not line or line.startswith("#"), f"{path}: {line}"
    return scenarios


def _scenario(named: _Blocks, account: str, blocks: Mapping[str, list[str]]) -> Scenario:
    heartbeats = tuple(_heartbeats(blocks.get("use", []), account))
    return Scenario(
        name=f"{account.rpartition(' ')[0]}: {named.name}",
        contract=_contract(blocks["contract"], account),
        commands=tuple(_command(row, account) for row in blocks.get("commands", [])),
        refusals=tuple(blocks.get("refusals", [])),
        tells_counts="counts" in blocks,
        heartbeats=heartbeats,
        beats=tuple(beat for whole in heartbeats for beat in beating(whole)),
        counts=_counts(blocks.get("counts", [])),
        lines={title[6:]: tuple(read_rows(rows)) for title, rows in blocks.items() if title.startswith("lines ")},
        refused={title[8:]: rows[0] for title, rows in blocks.items() if title.startswith("refused ")},
        blocks=blocks,
    )


def _contract(body: list[str], account: str) -> Contract:
    return read_contract(account, terms_text(body, account))


def _heartbeats(rows: list[str], account: str) -> Iterator[Heartbeat]:
    opened: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(rows):
        match = _USE.fullmatch(row)
        assert match is not None, row
        words = match["rest"].split()
        options = dict(word.split("=", 1) for word in words if "=" in word)
        assert options.keys() <= _OPTIONS, row
        assert {word for word in words if "=" not in word} <= {"closed"}, row
        for day in _days(match["first"], match["last"]):
            since = instant(f"{day} {match['since']}")
            at = since if match["bare"] else _at(day, match["at"])
            for machine in _machines(match["machine"]):
                session = options.get("session", f"{number}-{day}")
                key = (machine, match["user"], session, options.get("product", "MSTN"), options.get("country", ""))
                opened_at = opened.setdefault(key, since)
                if "opened" in options:
                    opened_at = instant(options["opened"])
                yield heartbeat(
                    opened_at,
                    at,
                    since=since,
                    state="close" if match["bare"] or "closed" in words else "beat",
                    account=account,
                    machine=fold(machine),
                    user=fold(match["user"]),
                    session=session,
                    product=options.get("product", "MSTN"),
                    country=options.get("country", ""),
                    usage=options.get("usage", "production"),
                    version=options.get("version", "10.1"),
                    resumed_at=_at(day, options["resumed"]) if "resumed" in options else None,
                    active_at=_at(day, options["active"]) if "active" in options else None,
                )


def _command(row: str, account: str) -> Logged:
    match = _ORDER.fullmatch(row)
    assert match is not None, row
    said = dict(word.split("=", 1) for word in match["rest"].split())
    assert said.keys() <= {"country", "model"}, row
    at, country, user = _at("", match["at"]) if match["at"] else 0, said.get("country", ""), match["user"] or ""
    model = cast("AssignableModel | None", said.get("model"))
    order: Order
    match match["kind"]:
        case "assign":
            order = Assign(match["what"], country, user, at, match["replaces"], model)
        case "release":
            order = Release(match["what"], country, user, at, model)
        case "checkout":
            from_at, until_at = instant(match["from_at"]), instant(match["until_at"])
            order = CheckOut(match["what"], country, user, match["machine"], from_at, until_at)
        case _:
            order = CheckIn(match["what"], at)
    return Logged(Command(match["id"], account, "tests", 0, order), 0)


def _days(first: str, last: str | None) -> list[str]:
    days = range(instant(f"{first} 00:00") // DAY_MS, instant(f"{last or first} 00:00") // DAY_MS + 1)
    return [calendar_day(day).isoformat() for day in days]


def _at(day: str, text: str) -> int:
    return instant(text if " " in text else f"{day} {text}")


def _machines(text: str) -> list[str]:
    match = _MACHINES.fullmatch(text)
    if match is None:
        return [text]
    return [f"{match[1]}{number}" for number in range(int(match[2]), int(match[3]) + 1)]


def _counts(rows: list[str]) -> Counts:
    counts: Counts = {}
    for row in rows:
        slots, _, figures = row.partition(" : ")
        count, *pool = figures.split()
        product, country = [*pool, *("MSTN", "CZ")[len(pool) :]]
        for slot_at in read_slots(slots):
            assert slot_at not in counts.setdefault((product, country), {}), row
            counts[product, country][slot_at] = int(count)
    return counts


def read_slots(text: str) -> list[int]:
    """``2022-05-03 15:10..15:30 17:00`` as instants; a range may not cross midnight."""
    day, *times = text.split()
    slots = []
    for time in times:
        first, _, last = time.partition("..")
        slots += [*range(instant(f"{day} {first}"), instant(f"{day} {last or first}") + 1, BASE_SLOT_MS)]
    return slots


def _written_slots(slots: tuple[int, ...]) -> str:
    days: dict[int, list[int]] = {}
    for slot_at in slots:
        days.setdefault(slot_at // DAY_MS, []).append(slot_at)
    return (
        ", ".join(f"{calendar_day(day)} {' '.join(_clock(at) for at in slots)}" for day, slots in days.items()) or "-"
    )


def _clock(at: int) -> str:
    minutes = (at - at_midnight(calendar_day(at // DAY_MS))) // 60_000
    return f"{minutes // 60:02}:{minutes % 60:02}"


def read_rows(rows: list[str]) -> Iterator[Cells]:
    """A table with a header, cells between bars."""
    header, *body = ([cell.strip() for cell in row.split("|")] for row in rows)
    for values in body:
        yield dict(zip(header, values, strict=True))
