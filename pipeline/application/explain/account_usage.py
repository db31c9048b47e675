"""Who used what in a range of time: closed quarters as they were closed, the others as of now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from pipeline.application.account_view import AccountView
from pipeline.application.as_of_view import view_of_any_close
from pipeline.model.evidence import SessionKey
from pipeline.rules.evidence.sessions import Session
from pipeline.store.stored_sessions import Selection, read_sessions


@dataclass(frozen=True, slots=True)
class UsageQuestion:
    """Sessions with use in ``[from_at, until_at)``; empty texts ask for all.

    ``product`` is a product of the contract or a code as reported; ``user`` and ``machine`` are folded.
    """

    from_at: int
    until_at: int
    product: str = ""
    user: str = ""
    machine: str = ""


class CountedSession(NamedTuple):
    """A session with the product and country that it counts for."""

    session: Session
    product: str
    country: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Sessions by opening. ``closed``: the views as of closes that any of them were read in."""

    sessions: tuple[CountedSession, ...]
    closed: tuple[AccountView, ...]


def account_usage(view: AccountView, question: UsageQuestion, as_of: str = "") -> Usage:
    """The usage of an account; all of it as of the close or version that is named, if any. Raises ``InputError``."""
    if not as_of:
        return usage_as_closed(view, question)
    then = view_of_any_close(view, as_of)
    return Usage(tuple(usage_under(then, question)), () if then.closed is None else (then,))


def usage_as_closed(view: AccountView, question: UsageQuestion) -> Usage:
    """Closed quarters under the contract and voids of their closes, the rest under the view.

    A session with use in several quarters is listed once, as the first of them has it. Raises ``InputError`` where the
    store has lost the contract of a close.
    """
    listed: dict[SessionKey, CountedSession] = {}
    closed = []
    for then, from_at, until_at in _stretches(view, question.from_at, question.until_at):
        sessions = usage_under(then, replace(question, from_at=from_at, until_at=until_at))
        for counted in sessions:
            listed.setdefault(counted.session.key, counted)
        if sessions and then.closed is not None:
            closed.append(then)
    by_opening = sorted(listed.values(), key=lambda counted: (counted.session.opened_at, counted.session.key))
    return Usage(tuple(by_opening), tuple(closed))


def usage_under(view: AccountView, question: UsageQuestion) -> list[CountedSession]:
    """Sessions under one view, with the product and country that they count for then, by opening.

    What voids leave out is not listed.
    """
    product, reading = question.product, view.reading
    selection = Selection(
        account=view.account,
        from_at=question.from_at,
        until_at=question.until_at,
        codes=reading.codes_of(product) if product else (),
        user=question.user,
        machine=question.machine,
    )
    counted = [
        CountedSession(
            session,
            reading.product_at(session.key.product, max(session.opened_at, question.from_at)),
            reading.country_of(session.key.country),
        )
        for session in read_sessions(view.client, selection, view.voids)
    ]
    return [each for each in counted if not product or product in {each.product, each.session.key.product}]


def _stretches(view: AccountView, from_at: int, until_at: int) -> Iterator[tuple[AccountView, int, int]]:
    """A range cut where closed quarters begin and end."""
    for closed in view.closes.quarters.values():
        period = closed.period
        if period.end_at <= from_at or until_at <= period.start_at:
            continue
        if from_at < period.start_at:
            yield view, from_at, period.start_at
        yield view.at_close(closed), max(from_at, period.start_at), min(until_at, period.end_at)
        from_at = period.end_at
    if from_at < until_at:
        yield view, from_at, until_at
