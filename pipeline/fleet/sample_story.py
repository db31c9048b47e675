"""The sample fleet: a studio's second quarter of 2022, in order except for an expensive afternoon and a stray click.

Sixty machines share MSTN (20 entitled), ORD (6), STAAD (4) and PLAX (10) under the ten-minute policy, and some use
AutoCAD for tokens (``sample_tokens``). Ordinary days stay within the quantities by construction. The events here are
scripted to the second, so that a statement can be checked against the story.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Final

from pipeline.fleet.plan import FleetPlan, FleetProduct, Interval, PlannedSession
from pipeline.fleet.sample_tokens import TokenStory, token_story
from pipeline.fleet.working_days import Member, crew
from pipeline.model.evidence import PRODUCTION
from pipeline.model.instants import BASE_SLOT_MS, MINUTE_MS, at_datetime

_PRODUCTS: Final = (
    FleetProduct("MSTN", 20, "10.16.02.34"),
    FleetProduct("ORD", 6, "10.10.21.04"),
    FleetProduct("STAAD", 4, "22.09.00.115"),
    FleetProduct("PLAX", 10, "21.03.00.479"),
)
_MSTN, _ORD, _STAAD, _PLAX = range(4)


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """An event of the story. ``sessions`` are its own sessions, not everybody else's on that day.

    Where it leads to over-use, ``peak`` is the count of the product, reached in ``peak_slots``, and ``over_slots`` are
    the slots above the entitled quantity (both are starts of base slots, in order). ``term_licenses`` become due.
    """

    title: str
    product: str
    sessions: tuple[PlannedSession, ...]
    entitled: int
    peak: int = 0
    peak_slots: tuple[int, ...] = ()
    over_slots: tuple[int, ...] = ()
    term_licenses: int = 0


@dataclass(frozen=True, slots=True)
class DemoStory:
    """The events of the sample fleet, in order of time. ``colleagues`` are sessions of the other users they need."""

    accidental: StoryEvent
    trial: StoryEvent
    deadline: StoryEvent
    forgotten: StoryEvent
    colleagues: tuple[PlannedSession, ...]
    tokens: TokenStory


def demo_plan() -> FleetPlan:
    """The sample fleet, story included."""
    story = demo_story()
    events = (story.accidental, story.trial, story.deadline, story.forgotten)
    of_events = (session for event in events for session in event.sessions)
    sessions = (*story.colleagues, *story.tokens.sessions, *of_events)
    return replace(_base_plan(), scripted=sessions)


def demo_story() -> DemoStory:
    """What happens in the sample fleet and what it must lead to."""
    members = crew(_base_plan())
    return DemoStory(
        accidental=_accidental(members),
        trial=_trial(members),
        deadline=_deadline(members),
        forgotten=_forgotten(members),
        colleagues=(*_structural_engineers(members), *_deadline_team(members)),
        tokens=token_story(members, _base_plan().quarter()),
    )


def _base_plan() -> FleetPlan:
    return FleetPlan(products=_PRODUCTS, machines=60, seed=2022, trials=0.0)


def _accidental(members: tuple[Member, ...]) -> StoryEvent:
    """A drafter starts STAAD while all four licences are in use, and closes it after fourteen minutes."""
    opened_at, closed_at = _at("2022-04-26T09:33:10Z"), _at("2022-04-26T09:47:05Z")
    launch = _session("story-accidental", members[12], _STAAD, (opened_at, closed_at))
    launch = replace(launch, active=((opened_at, opened_at + MINUTE_MS),))
    slots = _slots("2022-04-26T09:40:00Z", 1)
    return StoryEvent("accidental launch", "STAAD", (launch,), 4, 5, slots, slots, 1)


def _structural_engineers(members: tuple[Member, ...]) -> tuple[PlannedSession, ...]:
    """The four who hold every STAAD licence that day."""
    hours = (("05:52:41", "14:31:08"), ("06:10:17", "13:48:52"), ("06:24:55", "15:02:33"), ("07:03:26", "15:20:44"))
    return tuple(
        _session(
            f"story-structural-{number}",
            member,
            _STAAD,
            (_at(f"2022-04-26T{opened}Z"), _at(f"2022-04-26T{closed}Z")),
            (_at("2022-04-26T09:51:30Z"), _at("2022-04-26T10:29:40Z")),
        )
        for number, (member, (opened, closed)) in enumerate(zip(members[39:43], hours, strict=True), 1)
    )


def _trial(members: tuple[Member, ...]) -> StoryEvent:
    """A plant designer tries STAAD with a trial licence, which counts nowhere."""
    tried = _session("story-trial", members[52], _STAAD, (_at("2022-05-05T11:05:21Z"), _at("2022-05-05T12:19:47Z")))
    return StoryEvent("trial", "STAAD", (replace(tried, usage="trial"),), 4)


def _deadline(members: tuple[Member, ...]) -> StoryEvent:
    """Three plant designers help with MSTN while all twenty licences are in use."""
    hours = (("13:52:40", "14:39:30"), ("14:03:15", "14:44:10"), ("14:11:50", "14:48:20"))
    helpers = tuple(
        _session(
            f"story-helper-{number}",
            members[index],
            _MSTN,
            (_at(f"2022-05-17T{opened}Z"), _at(f"2022-05-17T{closed}Z")),
        )
        for number, (index, (opened, closed)) in enumerate(zip((46, 47, 50), hours, strict=True), 1)
    )
    peak, over = _slots("2022-05-17T14:20:00Z", 2), _slots("2022-05-17T14:00:00Z", 5)
    return StoryEvent("deadline afternoon", "MSTN", helpers, 20, 23, peak, over, 3)


def _deadline_team(members: tuple[Member, ...]) -> tuple[PlannedSession, ...]:
    """Twenty drafters at work from the morning until after the helpers have gone."""
    chance = Random("deadline")  # noqa: S311  (a simulation, not a secret)
    lunch = (_at("2022-05-17T09:41:20Z"), _at("2022-05-17T10:18:05Z"))
    morning_at, evening_at = _at("2022-05-17T05:20:00Z"), _at("2022-05-17T15:05:00Z")
    return tuple(
        _session(
            f"story-deadline-{number:02}",
            member,
            _MSTN,
            (morning_at + chance.randrange(110 * MINUTE_MS), evening_at + chance.randrange(150 * MINUTE_MS)),
            lunch,
        )
        for number, member in enumerate(members[:20], 1)
    )


def _forgotten(members: tuple[Member, ...]) -> StoryEvent:
    """A road designer goes home on Friday with ORD open, and finds it so on Monday."""
    opened_at, closed_at = _at("2022-06-10T07:12:08Z"), _at("2022-06-13T06:48:30Z")
    lunch = (_at("2022-06-10T09:58:12Z"), _at("2022-06-10T10:31:45Z"))
    session = _session("story-forgotten", members[32], _ORD, (opened_at, closed_at), lunch)
    session = replace(session, active=((opened_at, lunch[0]), (lunch[1], _at("2022-06-10T13:41:50Z"))))
    return StoryEvent("forgotten session", "ORD", (session,), 6)


def _session(name: str, member: Member, place: int, whole: Interval, pause: Interval | None = None) -> PlannedSession:
    product = _PRODUCTS[place]
    active = (whole,) if pause is None else ((whole[0], pause[0]), (pause[1], whole[1]))
    return PlannedSession(
        product.code, product.version, member.machine, member.user, name, (whole,), active, PRODUCTION
    )


def _slots(first: str, count: int) -> tuple[int, ...]:
    return tuple(_at(first) + number * BASE_SLOT_MS for number in range(count))


def _at(text: str) -> int:
    return at_datetime(datetime.fromisoformat(text))
