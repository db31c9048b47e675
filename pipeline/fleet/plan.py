"""What a simulated fleet is asked to be: its products, people, days and faults. Values only; ``clients`` plays them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.codec.topics.heartbeats import FRAME_HEARTBEATS_MAX
from pipeline.model.errors import InputError
from pipeline.model.evidence import PRODUCTION, USAGES
from pipeline.model.instants import HOUR_MS, MINUTE_MS, Period
from pipeline.model.text import CONTROL_CHARACTER, TEXT_LENGTH_MAX

BEAT_MS_DEFAULT: Final = 15 * MINUTE_MS
MACHINES_MAX: Final = 100_000
OVERSIZE_MAX: Final = 1_000
SEED_MAX: Final = 2**63 - 1

Interval = tuple[int, int]
"""``(from, until)`` in epoch milliseconds, ``from <= until``."""


@dataclass(frozen=True, slots=True)
class FleetProduct:
    """A product of the fleet. Ordinary production use never takes more than ``quantity`` machines on a day.

    ``None`` is without that cap. Machines are given to products in proportion to the quantities (in equal parts where a
    product has no quantity), so several people share each licence, on different days.
    """

    code: str
    quantity: int | None = None
    version: str = "10.17.02.61"


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """A session on its machine, before anything is sent.

    ``awake`` holds the ranges in which it sends evidence: it opens with the first and closes with the last, and sleeps
    between them. ``active`` holds the stretches of operation inside these, ordered; the first starts at the opening.
    """

    product: str
    version: str
    machine: str
    user: str
    session: str
    awake: tuple[Interval, ...]
    active: tuple[Interval, ...]
    usage: str = PRODUCTION

    @property
    def opened_at(self) -> int:
        """When the session opens."""
        return self.awake[0][0]

    @property
    def closed_at(self) -> int:
        """When the session closes."""
        return self.awake[-1][1]


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """Every setting of a fleet. The same plan gives the same bytes on every machine.

    Faults leave the set of distinct valid heartbeats as it is: copies are exact, held-back heartbeats still arrive,
    broken lines and oversize frames are extra. Each fault has a random source of its own, so asking for a fault does
    not move another.

    ``frames``: heartbeats to a frame, 0 for a single heartbeat per line. ``duplicates``, ``disorder``, ``late`` and
    ``broken`` are shares of the heartbeats: sent twice, held back up to an hour, held back for days, followed by an
    invalid line. ``oversize`` is a number of lines beyond the limits of a frame. ``trials`` is the share of working
    days on which a user also tries a product without a production licence. ``scripted`` sessions take the place of
    their user's ordinary sessions of that product on the days they touch.
    """

    account: str = "studio"
    country: str = "CZ"
    period: str = "2022Q2"
    products: tuple[FleetProduct, ...] = (FleetProduct("MSTN"),)
    machines: int = 60
    seed: int = 1
    beat_ms: int = BEAT_MS_DEFAULT
    frames: int = 0
    duplicates: float = 0.0
    disorder: float = 0.0
    late: float = 0.0
    broken: float = 0.0
    oversize: int = 0
    trials: float = 0.002
    scripted: tuple[PlannedSession, ...] = ()

    def quarter(self) -> Period:
        """The quarter the fleet works in. Raises ``InputError`` where ``period`` names none."""
        try:
            return Period.parse(self.period)
        except ValueError as error:
            raise InputError("period", str(error), "Write the year and the quarter, as in 2022Q2") from error

    def validate(self) -> None:
        """Check every setting's range. Raises ``InputError`` with the setting's name, the reason and the remedy."""
        self.quarter()
        _check_text("account", self.account)
        _check_text("country", self.country)
        _check_products(self.products)
        _check_whole("machines", self.machines, 1, MACHINES_MAX)
        _check_whole("seed", self.seed, 0, SEED_MAX)
        _check_whole("frames", self.frames, 0, FRAME_HEARTBEATS_MAX)
        _check_whole("oversize", self.oversize, 0, OVERSIZE_MAX)
        if not MINUTE_MS <= self.beat_ms <= 12 * HOUR_MS:
            raise InputError("beat", f"{self.beat_ms:,} ms is not between 1m and 12h", "Try 15m")
        for knob in ("duplicates", "disorder", "late", "broken", "trials"):
            share: float = getattr(self, knob)
            if not 0.0 <= share <= 1.0:
                raise InputError(knob, f"{share} is not a share between 0 and 1", "Write 0.05 for one in twenty")
        self._check_scripted()

    def _check_scripted(self) -> None:
        quarter, seen = self.quarter(), set[str]()
        for session in self.scripted:
            if session.session in seen:
                raise InputError("scripted", f"session {session.session} is there twice", "Give every session its id")
            seen.add(session.session)
            if session.usage not in USAGES:
                raise InputError("scripted", f"{session.usage} is no usage", f"Use one of {', '.join(sorted(USAGES))}")
            if not quarter.contains(session.opened_at):
                reason = f"session {session.session} does not open in {quarter.name}"
                raise InputError("scripted", reason, "Move it into the period, or ask for another period")


def _check_whole(knob: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InputError(knob, f"{value:,} is not between {least:,} and {most:,}", "Give a number in that range")


def _check_text(knob: str, text: str) -> None:
    if not 1 <= len(text) <= TEXT_LENGTH_MAX or CONTROL_CHARACTER.search(text):
        reason = f"{text[:40]!r} is empty, longer than {TEXT_LENGTH_MAX} characters or holds a control character"
        raise InputError(knob, reason, "Give a short printable name")


def _check_products(products: tuple[FleetProduct, ...]) -> None:
    if not products:
        raise InputError("products", "no product is given", "Name at least one, as in MSTN or MSTN=20")
    codes = [product.code for product in products]
    for product in products:
        _check_text("products", product.code)
        _check_text("products", product.version)
        if codes.count(product.code) > 1:
            raise InputError("products", f"{product.code} is given twice", "Name each product once")
        if product.quantity is not None and product.quantity < 1:
            reason = f"{product.code} has the quantity {product.quantity}"
            raise InputError("products", reason, "Give at least 1, or leave the quantity out for no cap")
