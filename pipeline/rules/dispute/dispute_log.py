"""Disputes as records, read from the log of commands (RULES 7). A granted amount is a credit.

A dispute goes draft → submitted → answered → granted or refused, one step at a time. Moving it to the state that it is
in adds a comment or the vendor's ticket number. Of a granted dispute it can correct the amount, for a stated reason:
nothing that the vendor takes back, or that was mistyped, is there for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from pipeline.model.orders import DisputeState, Logged, MoveDispute, OpenDispute, Refused

NEXT_STATES: Final[Mapping[DisputeState, tuple[DisputeState, ...]]] = {
    "draft": ("submitted",),
    "submitted": ("answered",),
    "answered": ("granted", "refused"),
    "granted": (),
    "refused": (),
}
"""By state the states that may follow it."""

LineIdentity = tuple[str, str, str, str]
"""Period, product, country and model."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A remark, with the state that the dispute was in from then on."""

    at: int
    by: str
    state: DisputeState
    text: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """A contested line. ``ticket`` is the vendor's number, ``granted`` the credit, ``None`` until it is granted."""

    id: str
    opened: OpenDispute
    by: str
    opened_at: int
    state: DisputeState = "draft"
    ticket: str = ""
    granted: int | None = None
    comments: tuple[Comment, ...] = ()

    @property
    def line(self) -> LineIdentity:
        """Which line is contested."""
        return self.opened.period, self.opened.product, self.opened.country, self.opened.line_model

    @property
    def is_settled(self) -> bool:
        """Whether the dispute has ended: granted or refused."""
        return not NEXT_STATES[self.state]


@dataclass(frozen=True, slots=True)
class Disputes:
    """Every dispute of an account by id, in the order of opening, and the orders that changed nothing."""

    by_id: Mapping[str, Dispute]
    refused: tuple[Refused, ...]

    @property
    def credits(self) -> dict[LineIdentity, int]:
        """What vendors have granted, by line."""
        granted: dict[LineIdentity, int] = {}
        for dispute in self.by_id.values():
            if dispute.granted is not None:
                granted[dispute.line] = granted.get(dispute.line, 0) + dispute.granted
        return granted


def disputes(log: Iterable[Logged]) -> Disputes:
    """The disputes of an account. ``log`` is in log order; of several commands with an id the first counts."""
    by_id: dict[str, Dispute] = {}
    refused: list[Refused] = []
    seen: set[str] = set()
    for logged in log:
        order = logged.command.order
        if not isinstance(order, OpenDispute | MoveDispute) or logged.command.id in seen:
            continue
        seen.add(logged.command.id)
        after = _opened(by_id, logged, order) if isinstance(order, OpenDispute) else _moved(by_id, logged, order)
        if isinstance(after, Refused):
            refused.append(after)
        else:
            by_id[after.id] = after
    return Disputes(by_id, tuple(refused))


def _opened(by_id: Mapping[str, Dispute], logged: Logged, order: OpenDispute) -> Dispute | Refused:
    command = logged.command
    dispute = Dispute(command.id, order, command.by, command.issued_at)
    pending = next((other for other in by_id.values() if other.line == dispute.line and not other.is_settled), None)
    if pending is not None:
        sentence = f"the line is contested already, by dispute {pending.id}, which is {pending.state}"
        return Refused(command.id, "already_open", sentence)
    return replace(dispute, comments=_comments(dispute, logged, order.comment))


def _moved(by_id: Mapping[str, Dispute], logged: Logged, order: MoveDispute) -> Dispute | Refused:
    id_, dispute = logged.command.id, by_id.get(order.dispute)
    if dispute is None:
        return Refused(id_, "unknown_dispute", f"there is no dispute {order.dispute}")
    if order.state != dispute.state and order.state not in NEXT_STATES[dispute.state]:
        return Refused(id_, "wrong_state", _not_from(dispute, order.state))
    refused = _refused_amount(id_, dispute, order)
    if refused is not None:
        return refused
    moved = replace(
        dispute,
        state=order.state,
        ticket=order.ticket or dispute.ticket,
        granted=dispute.granted if order.granted is None else order.granted,
    )
    return replace(moved, comments=_comments(moved, logged, order.comment))


def _refused_amount(id_: str, dispute: Dispute, order: MoveDispute) -> Refused | None:
    """Why an amount, or that there is none, is refused: it comes with the step to granted, or corrects that."""
    if order.state != "granted":
        sentence = "an amount is stated with the state granted alone"
        return None if order.granted is None else Refused(id_, "not_being_granted", sentence)
    is_correcting = dispute.state == "granted"
    if is_correcting and order.granted is None:
        return None
    if is_correcting and not order.comment:
        sentence = "the amount that was granted is corrected for a reason only: state it as the comment"
        return Refused(id_, "not_being_granted", sentence)
    if order.granted is None or order.granted < (0 if is_correcting else 1):
        return Refused(id_, "no_amount", "granted what? State the amount that the vendor gives back, more than nothing")
    return None


def _not_from(dispute: Dispute, state: DisputeState) -> str:
    allowed = " or ".join(NEXT_STATES[dispute.state])
    after = f"from there it goes to {allowed}" if allowed else "there it ends"
    return f"dispute {dispute.id} is {dispute.state} and cannot become {state}: {after}"


def _comments(dispute: Dispute, logged: Logged, text: str) -> tuple[Comment, ...]:
    comment = Comment(logged.command.issued_at, logged.command.by, dispute.state, text)
    return (*dispute.comments, comment) if text else dispute.comments
