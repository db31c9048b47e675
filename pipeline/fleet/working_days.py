"""Who works with what on which day: the ordinary life of a fleet, one day at a time.

A day is drawn only from the seed and its own date, so any day can be planned without the others. The cap holds by
construction: at most ``quantity`` people use a product on a day, each on a machine that nobody else has that day, and
scripted sessions take their share of the quantity first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random
from typing import Final

from pipeline.fleet.office_calendar import is_working_day, local_midnight_at
from pipeline.fleet.plan import FleetPlan, FleetProduct, Interval, PlannedSession
from pipeline.model.evidence import PRODUCTION
from pipeline.model.instants import HOUR_MS, MINUTE_MS, calendar_day, day_of

ATTENDANCE_PERCENT: Final = 62
SECOND_PRODUCT_PERCENT: Final = 30
OTHER_DESK_PERCENT: Final = 2

_FIRST_NAMES: Final = (
    "jana", "petr", "eva", "tomas", "lucie", "martin", "hana", "pavel",
    "alena", "jiri", "klara", "ondrej", "tereza", "david", "marie", "jakub",
)  # fmt: skip
_LAST_NAMES: Final = (
    ("novakova", "novak"), ("svobodova", "svoboda"), ("dvorakova", "dvorak"), ("cerna", "cerny"),
    ("prochazkova", "prochazka"), ("kucerova", "kucera"), ("vesela", "vesely"), ("horakova", "horak"),
    ("nemcova", "nemec"), ("markova", "marek"), ("pokorna", "pokorny"), ("hajkova", "hajek"),
    ("kralova", "kral"), ("ruzickova", "ruzicka"), ("benesova", "benes"), ("fialova", "fiala"),
)  # fmt: skip
"""The surnames of women and of men; first names alternate in the same order."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the fleet with their own machine; ``products`` are indexes in the plan, the main product first."""

    machine: str
    user: str
    is_laptop: bool
    products: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """A person's day: at work in ``[arrive_at, leave_at)`` except in ``breaks``."""

    arrive_at: int
    leave_at: int
    breaks: tuple[Interval, ...]


def crew(plan: FleetPlan) -> tuple[Member, ...]:
    """Everyone in the fleet, in order: a run of machines per product; every fourth person has a second product, too."""
    weights = [product.quantity or 0 for product in plan.products]
    if 0 in weights:
        weights = [1] * len(weights)
    bounds, total, count = list(accumulate(weights)), sum(weights), len(plan.products)
    domain = "".join(char for char in plan.account.lower() if char.isascii() and char.isalnum())[:60] or "fleet"
    members = []
    for index in range(plan.machines):
        main = next(place for place, bound in enumerate(bounds) if index * total < bound * plan.machines)
        second = ((main + 1) % count,) if count > 1 and index % 4 == 1 else ()
        is_laptop = index % 5 == 3
        machine = f"{'nb' if is_laptop else 'ws'}-{index + 1:03}"
        members.append(Member(machine, f"{_name(index)}@{domain}.example", is_laptop, (main, *second)))
    return tuple(members)


def days_of_sessions(plan: FleetPlan) -> Iterator[tuple[int, list[PlannedSession]]]:
    """For every UTC day of the period: its number and the sessions that open on it, in order of opening."""
    quarter, members = plan.quarter(), crew(plan)
    for day in range(day_of(quarter.start_at), day_of(quarter.end_at)):
        sessions = _ordinary_sessions(plan, members, day) if is_working_day(day) else []
        sessions.extend(script for script in plan.scripted if day_of(script.opened_at) == day)
        yield day, sorted(sessions, key=lambda planned: (planned.opened_at, planned.session))


def _name(index: int) -> str:
    turn, place = divmod(index, len(_FIRST_NAMES))
    round_, shift = divmod(turn, len(_LAST_NAMES))
    last = _LAST_NAMES[(place + shift) % len(_LAST_NAMES)][index % 2]
    return f"{_FIRST_NAMES[place]}.{last}{round_ or ''}"


def _ordinary_sessions(plan: FleetPlan, members: tuple[Member, ...], day: int) -> list[PlannedSession]:
    chance = Random(f"{plan.seed}/day/{day}")  # noqa: S311  (a simulation, not a secret)
    today = [script for script in plan.scripted if day_of(script.opened_at) <= day <= day_of(script.closed_at)]
    present = [member for member in members if chance.randrange(100) < ATTENDANCE_PERCENT]
    users = _draw_users(plan, today, present, chance)
    desks = _draw_desks(members, present, today, chance)
    midnight_at, sessions = local_midnight_at(day), list[PlannedSession]()
    for member in present:
        shift = _draw_shift(midnight_at, chance)
        for place in member.products:
            if member.user not in users[place]:
                continue
            draw = _main_sessions if place == member.products[0] else _second_sessions
            seat = _blank(plan.products[place], desks[member.user], member.user)
            sessions.extend(draw(seat, shift, member.is_laptop, chance))
        if chance.random() < plan.trials:
            product = plan.products[(member.products[0] + 1) % len(plan.products)]
            seat = _blank(product, desks[member.user], member.user)
            usage = "trial" if chance.randrange(2) else "evaluation"
            sessions.extend(replace(tried, usage=usage) for tried in _second_sessions(seat, shift, False, chance))
    stamp = calendar_day(day).strftime("%Y%m%d")
    return [replace(drawn, session=f"s{plan.seed}-{stamp}-{number:04}") for number, drawn in enumerate(sessions, 1)]


def _draw_users(
    plan: FleetPlan, today: list[PlannedSession], present: list[Member], chance: Random
) -> list[frozenset[str]]:
    """For each product the users who may use it today: with the scripted machines, at most its quantity."""
    drawn = []
    for place, product in enumerate(plan.products):
        scripted = [script for script in today if script.product == product.code]
        busy_users = {script.user for script in scripted}
        willing = [
            member.user
            for member in present
            if place in member.products
            and member.user not in busy_users
            and (place == member.products[0] or chance.randrange(100) < SECOND_PRODUCT_PERCENT)
        ]
        chance.shuffle(willing)
        if product.quantity is not None:
            taken = len({script.machine for script in scripted if script.usage == PRODUCTION})
            del willing[max(0, product.quantity - taken) :]
        drawn.append(frozenset(willing))
    return drawn


def _draw_desks(
    members: tuple[Member, ...], present: list[Member], today: list[PlannedSession], chance: Random
) -> dict[str, str]:
    """The machine of each user today: their own, sometimes that of a colleague who is away and has no session open."""
    at_work = {member.user for member in present}
    scripted = {name for script in today for name in (script.machine, script.user)}
    free = [m.machine for m in members if m.user not in at_work and not scripted & {m.machine, m.user}]
    desks = {}
    for member in present:
        moves = chance.randrange(100) < OTHER_DESK_PERCENT and free and member.user not in scripted
        desks[member.user] = free.pop(chance.randrange(len(free))) if moves else member.machine
    return desks


def _draw_shift(midnight_at: int, chance: Random) -> Shift:
    arrive_at = midnight_at + 7 * HOUR_MS + chance.randrange(HOUR_MS) + chance.randrange(HOUR_MS)
    lunch_at = midnight_at + 11 * HOUR_MS + 20 * MINUTE_MS + chance.randrange(70 * MINUTE_MS)
    back_at = lunch_at + 25 * MINUTE_MS + chance.randrange(35 * MINUTE_MS)
    leave_at = arrive_at + 8 * HOUR_MS + chance.randrange(105 * MINUTE_MS)
    if chance.randrange(100) < 12:
        return Shift(arrive_at, lunch_at, ())
    meeting_at = back_at + 30 * MINUTE_MS + chance.randrange(HOUR_MS)
    meeting = (meeting_at, meeting_at + 20 * MINUTE_MS + chance.randrange(30 * MINUTE_MS))
    has_meeting = chance.randrange(100) < 30 and meeting[1] + 20 * MINUTE_MS < leave_at
    return Shift(arrive_at, leave_at, ((lunch_at, back_at), meeting) if has_meeting else ((lunch_at, back_at),))


def _blank(product: FleetProduct, machine: str, user: str) -> PlannedSession:
    return PlannedSession(product.code, product.version, machine, user, "", (), ())


def _main_sessions(seat: PlannedSession, shift: Shift, is_laptop: bool, chance: Random) -> Iterator[PlannedSession]:
    """A day with the main product: open all day (a laptop sleeps in the breaks), or closed for every break."""
    opened_at = shift.arrive_at + 2 * MINUTE_MS + chance.randrange(6 * MINUTE_MS)
    if chance.randrange(100) < 12:  # opened by mistake: closed within minutes, and started again
        glance = (opened_at, opened_at + 2 * MINUTE_MS + chance.randrange(6 * MINUTE_MS))
        yield replace(seat, awake=(glance,), active=(glance,))
        opened_at = glance[1] + MINUTE_MS + chance.randrange(5 * MINUTE_MS)
    stretches = _less_breaks(opened_at, shift.leave_at, shift.breaks)
    if is_laptop:
        yield replace(seat, awake=stretches, active=stretches)
    elif chance.randrange(100) < 60:
        yield replace(seat, awake=((opened_at, shift.leave_at),), active=stretches)
    else:
        for stretch in stretches:
            yield replace(seat, awake=(stretch,), active=(stretch,))


def _second_sessions(seat: PlannedSession, shift: Shift, is_laptop: bool, chance: Random) -> Iterator[PlannedSession]:
    """Half an hour to three hours with another product, beside the main product."""
    room_ms = shift.leave_at - shift.arrive_at - HOUR_MS
    opened_at = shift.arrive_at + 20 * MINUTE_MS + chance.randrange(room_ms)
    until_at = min(shift.leave_at, opened_at + 30 * MINUTE_MS + chance.randrange(150 * MINUTE_MS))
    stretches = _less_breaks(opened_at, until_at, shift.breaks)
    if stretches:
        whole = ((stretches[0][0], stretches[-1][1]),)
        yield replace(seat, awake=stretches if is_laptop else whole, active=stretches)


def _less_breaks(from_at: int, until_at: int, breaks: tuple[Interval, ...]) -> tuple[Interval, ...]:
    """``[from_at, until_at)`` less the breaks, in order, without empty stretches."""
    stretches, start_at = [], from_at
    for pause_at, back_at in (*breaks, (until_at, until_at)):
        end_at = min(pause_at, until_at)
        if start_at < end_at:
            stretches.append((start_at, end_at))
        start_at = max(start_at, back_at)
    return tuple(stretches)
