"""Reads the scenarios of ``tokens/*.txt``: use, orders and ticks, and the expected ledger.

A file begins with the contract of its scenarios; a scenario begins with ``=== its name``. A block is indented under a
heading, a word with a colon. These happen in their order in the file:

``use:``, ``late use:``, ``later use:``  a line is a heartbeat, ``2022-05-02 08:00 to 08:30  eva on PC1``, and the
    beats that a client would have sent instead. ``session=``, ``product=``, ``version=``, ``usage=`` and ``country=``
    are the heartbeat's; ``last=07:40`` is the last operation, ``back=09:30`` when the activity was resumed. Lines with
    the same ``session`` are a single session, opened when the first of them begins.
``orders:``     ``2022-05-02 08:00 | O1 | buy P1 500 2022-05-01 default``, ``… | O2 | credit 7 default why`` with
    ``of eva ACD 2022-05-02 08:00`` behind it if a debit is given back.
``tick 2022-05-04 08:00:``  evidence is complete up to then. Without ticks the input ends with the evidence.

``seats:``      who held a single-user seat: ``ACD CZ eva 2022-05-02 08:00 to 2022-06-01 00:00``.

The expected results, all rows with some of their columns: ``windows:`` settled windows by start, product and user,
``open:`` windows not settled yet, ``free:`` free connections, ``refused:`` orders, ``tokens 2022-07-01:`` the block.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pipeline.model.contracts import Contract, TokenPack
from pipeline.model.evidence import Heartbeat
from pipeline.model.instants import iso
from pipeline.model.ledger_entries import Debit, Refusal, Window
from pipeline.model.orders import BuyTokens, Command, CreditTokens, Logged, Order, Tick
from pipeline.rules.people.coverage import Coverage
from pipeline.rules.tokens.connections import FreeConnection
from pipeline.rules.tokens.ledger import entry_id
from tests.golden.tables import _Blocks, _contract, _split, read_rows
from tests.support.evidence.evidence_shorthand import BEAT_MS, heartbeat, instant

Cells = Mapping[str, str]
_USE = re.compile(
    r"(?P<day>\S{10}) (?P<since>[\d:.]+) to (?P<at>(?:\S{10} )?[\d:.]+) +(?P<user>\S+) on (?P<machine>\S+)(?P<rest>.*)"
)
_OPTIONS = {"session", "product", "country", "usage", "version", "last", "back"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Heartbeats that arrive together: ``heartbeats`` as few, ``beats`` as many."""

    heartbeats: tuple[Heartbeat, ...]
    beats: tuple[Heartbeat, ...]


Step = Evidence | Logged


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens, in order, and the expected rows by the name of their block."""

    name: str
    contract: Contract
    steps: tuple[Step, ...]
    seats: tuple[Coverage, ...]
    expected: Mapping[str, tuple[Cells, ...]]
    blocks: Mapping[int, str]

    @property
    def has_ticks(self) -> bool:
        return any(isinstance(step, Logged) and isinstance(step.command.order, Tick) for step in self.steps)


def read_token_scenarios(path: Path) -> Iterator[Scenario]:
    """Every scenario of a file."""
    head, *scenarios = _split(path)
    for number, scenario in enumerate(scenarios, 1):
        yield _scenario(scenario, f"{path.stem} {number}", {**head.blocks, **scenario.blocks})


def window_cells(window: Window, columns: Mapping[str, str]) -> Cells:
    """The columns of an open window in the notation of the tables."""
    return _cells(
        {
            "start": _written(window.start_at), "end": _written(window.end_at), "user": window.user,
            "product": window.product, "country": window.country, "rate": str(window.rate),
        },
        columns,
    )  # fmt: skip


def debit_cells(debit: Debit, columns: Mapping[str, str]) -> Cells:
    """The columns of a settled window."""
    paid = " ".join(f"{part.tokens} of {part.pack}" for part in debit.parts) or "-"
    own = {"paid": paid, "uncovered": str(debit.uncovered), "team": debit.team}
    shared = window_cells(debit.window, {name: "" for name in columns if name not in own})
    return {**shared, **_cells(own, {name: "" for name in columns if name in own})}


def free_cells(free: FreeConnection, columns: Mapping[str, str]) -> Cells:
    """The columns of a free connection."""
    return _cells(
        {
            "from": _written(free.from_at), "until": _written(free.until_at), "user": free.session.user,
            "product": free.product, "machine": free.session.machine, "reason": free.reason,
        },
        columns,
    )  # fmt: skip


def refusal_cells(refusal: Refusal, columns: Mapping[str, str]) -> Cells:
    return _cells({"order": refusal.command, "code": refusal.code}, columns)


def _cells(written: Cells, columns: Mapping[str, str]) -> Cells:
    return {column: written[column] for column in columns}


def _written(at: int) -> str:
    text = iso(at).replace("T", " ").removesuffix("Z").removesuffix(":00")
    return text if at % 1000 == 0 else f"{text}.{at % 1000:03}"


def _scenario(named: _Blocks, account: str, blocks: Mapping[str, list[str]]) -> Scenario:
    steps: list[Step] = []
    opened: dict[tuple[str, ...], int] = {}
    expected: dict[str, tuple[Cells, ...]] = {}
    at_ends: dict[int, str] = {}
    for title, rows in blocks.items():
        word, _, rest = title.partition(" ")
        if title.endswith("use"):
            heartbeats = tuple(_heartbeats(rows, account, title, opened))
            steps.append(Evidence(heartbeats, tuple(beat for whole in heartbeats for beat in _beats(whole))))
        elif word == "orders":
            steps += [_order(row, account) for row in rows]
        elif word == "tick":
            at = instant(rest)
            steps.append(Logged(Command(f"tick-{at}", account, "clock", at, Tick(at)), at))
        elif word == "tokens":
            at_ends[instant(f"{rest} 00:00")] = rows[0]
        elif word not in {"contract", "seats"}:
            expected[title] = tuple(read_rows(rows))
    return Scenario(
        name=f"{account.rpartition(' ')[0]}: {named.name}",
        contract=_contract(blocks["contract"], account),
        steps=tuple(steps),
        seats=tuple(_seat(row) for row in blocks.get("seats", ())),
        expected=expected,
        blocks=at_ends,
    )


def _seat(row: str) -> Coverage:
    product, country, user, day, time, _, until = row.split(" ", 6)
    return Coverage(product, country, "single_user", user, instant(f"{day} {time}"), instant(until))


def _order(row: str, account: str) -> Logged:
    at, id_, text = (cell.strip() for cell in row.split("|"))
    order: Order
    match text.split(" "):
        case ["buy", *packs]:
            order = BuyTokens(
                tuple(
                    TokenPack(pack, "", team, int(tokens), instant(f"{day} 00:00"), None)
                    for pack, tokens, day, team in zip(*[iter(packs)] * 4, strict=True)
                )
            )
        case ["credit", tokens, team, reason, *of]:
            debit = ""
            if of:
                _, user, product, day, time = of
                debit = entry_id(account, "debit", product, "CZ", user, instant(f"{day} {time}"))
            order = CreditTokens(team, int(tokens), reason, debit)
        case _:
            raise AssertionError(row)
    return Logged(Command(id_, account, "jana", instant(at), order), instant(at))


def _heartbeats(rows: list[str], account: str, title: str, opened: dict[tuple[str, ...], int]) -> Iterator[Heartbeat]:
    for number, row in enumerate(rows):
        match = _USE.fullmatch(row)
        assert match is not None, row
        options = dict(word.split("=", 1) for word in match["rest"].split())
        assert options.keys() <= _OPTIONS, row
        since = instant(f"{match['day']} {match['since']}")
        at = _instant(match["at"], match["day"])
        session, product = options.get("session", f"{title} {number}"), options.get("product", "ACD")
        opened_at = opened.setdefault((match["machine"], match["user"], session, product), since)
        yield heartbeat(
            opened_at,
            at,
            since=since,
            account=account,
            machine=match["machine"].lower(),
            user=match["user"],
            session=session,
            product=product,
            country=options.get("country", ""),
            usage=options.get("usage", "production"),
            version=options.get("version", ""),
            resumed_at=_instant(options.get("back", ""), match["day"], opened_at),
            active_at=_instant(options.get("last", ""), match["day"], at),
        )


def _instant(text: str, day: str, otherwise: int = 0) -> int:
    if not text:
        return otherwise
    return instant(text if " " in text else f"{day} {text}")


def _beats(whole: Heartbeat) -> Iterator[Heartbeat]:
    """The same use beat by beat; each beat reports the last operation so far."""
    marks = [*range(whole.since, whole.at, BEAT_MS), whole.at]
    for since, at in pairwise(marks):
        if at >= whole.resumed_at:
            yield whole._replace(since=since, at=at, active_at=max(min(whole.active_at, at), whole.resumed_at))
