"""The lines of a statement: seats of people and pools, by product, country and model (INTERFACES, Statement)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipeline.model.instants import Period
from pipeline.model.statements import PooledLine, SeatLine
from pipeline.rules.people.coverage import Coverage, WaterfallStep
from pipeline.rules.people.named_seats import NamedSeats
from pipeline.rules.pool.counting import Pool
from pipeline.rules.pool.entitled import entitled_in, seats_max
from pipeline.rules.pool.pooled_lines import pooled_lines
from pipeline.rules.pool.reading import ContractReading


def statement_lines(
    reading: ContractReading,
    period: Period,
    counts: Mapping[Pool, Mapping[int, int]],
    held: Iterable[Coverage],
    named: Iterable[NamedSeats],
) -> tuple[PooledLine | SeatLine, ...]:
    """A line per product, country and model with an entitlement in force or counted use, sorted by these three.

    ``counts`` is what the pool counts, ``held`` what seats given by hand cover, in the order of assignment, and
    ``named`` the named seats. Raises ``BeforeFirstRow`` where a policy says nothing of the start of the period.
    """
    lines: list[PooledLine | SeatLine] = [*pooled_lines(reading, period, counts)]
    covered, groups = tuple(held), tuple(named)
    lines += _assigned_lines(reading, period, "single_user", covered)
    lines += _assigned_lines(reading, period, "practitioner", covered)
    lines += _named_lines(reading, period, groups)
    return tuple(sorted(lines, key=lambda line: (line.product, line.country, line.model)))


def _assigned_lines(
    reading: ContractReading, period: Period, model: WaterfallStep, held: tuple[Coverage, ...]
) -> Iterator[SeatLine]:
    for product, country in entitled_in(reading.contract, model, period):
        seats = (product, country, model)
        users = [stretch.user for stretch in held if (stretch.product, stretch.country, stretch.step) == seats]
        yield _seat_line(reading, period, (product, country), model, users, None)


def _named_lines(reading: ContractReading, period: Period, groups: tuple[NamedSeats, ...]) -> Iterator[SeatLine]:
    for product, country in entitled_in(reading.contract, "named", period):
        concerned = [group for group in groups if group.country == country and product in group.products]
        taken = sorted((taken_at, user) for group in concerned for user, taken_at in group.holders)
        users = [user for _, user in taken]
        overflow = {user for group in concerned for user in group.overflow} - set(users)
        yield _seat_line(reading, period, (product, country), "named", users, len(overflow))


def _seat_line(
    reading: ContractReading,
    period: Period,
    pool: Pool,
    model: WaterfallStep,
    users: Iterable[str],
    overflow: int | None,
) -> SeatLine:
    product, country = pool
    return SeatLine(
        product=product,
        country=country,
        model=model,
        policy=reading.policy_id_at(product, country, model, period.start_at),
        entitled=seats_max(reading.contract, product, country, model, period),
        users=tuple(dict.fromkeys(users)),
        overflow=overflow,
    )
