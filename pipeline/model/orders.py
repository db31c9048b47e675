"""Commands: what people order about an account, kept for ever on the topic ``commands`` (RULES 5, 6 and 7).

A command is identified by its id: the first in log order counts, the same command again has no effect, and the same id
with other content is a conflict, which changes nothing. ``rules/`` decides from the log alone whether an order takes
effect, so every reader decides alike. Instants are epoch ms; money is in the currency's smallest unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from pipeline.model.contracts import TokenPack

AssignableModel = Literal["practitioner", "single_user"]
"""A model whose seats are assigned to users by hand."""
DisputeState = Literal["draft", "submitted", "answered", "granted", "refused"]
"""Where a dispute stands with the vendor."""


@dataclass(frozen=True, slots=True)
class Assign:
    """Give ``user`` a seat from ``at`` on, taking over the seat of ``replaces`` where that is set.

    ``model`` is ``None`` where the contract's entitlements leave no doubt.
    """

    product: str
    country: str
    user: str
    at: int
    replaces: str | None = None
    model: AssignableModel | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """Take the seat of ``user`` back from ``at`` on."""

    product: str
    country: str
    user: str
    at: int
    model: AssignableModel | None = None


@dataclass(frozen=True, slots=True)
class CheckOut:
    """A licence taken offline for one user and machine in ``[from_at, until_at)``."""

    product: str
    country: str
    user: str
    machine: str
    from_at: int
    until_at: int


@dataclass(frozen=True, slots=True)
class CheckIn:
    """An early end of the checkout that was ordered under the id ``checkout``."""

    checkout: str
    at: int


@dataclass(frozen=True, slots=True)
class Close:
    """Freeze the statement of a quarter with all that it rests on. ``statement`` is its JSON (INTERFACES).

    ``contract`` is the content hash of the contract it was computed under. The evidence was complete up to
    ``complete_until``; ``forced`` says that the quarter was closed although that lay before its end.
    """

    period: str
    contract: str
    statement: str
    complete_until: int | None
    silent_machines: int
    forced: bool


@dataclass(frozen=True, slots=True)
class Void:
    """Leave evidence out of every count: a session, or a machine or a user in ``[from_at, until_at)``.

    A text of ``''`` or an instant of ``None`` is no condition. ``session`` goes with ``product`` and ``machine`` only,
    which tell sessions with the same id apart. Users and machines are folded as stored evidence is.
    """

    reason: str
    session: str = ""
    product: str = ""
    machine: str = ""
    user: str = ""
    from_at: int | None = None
    until_at: int | None = None


@dataclass(frozen=True, slots=True)
class Unvoid:
    """Undo the void that was ordered under the id ``void``."""

    void: str
    reason: str


@dataclass(frozen=True, slots=True)
class OpenDispute:
    """Contest a statement's line; ``amount`` is what is asked back."""

    period: str
    product: str
    country: str
    line_model: str
    category: str
    amount: int | None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class MoveDispute:
    """A new state of the dispute opened under the id ``dispute``. The state ``granted`` comes with a credit."""

    dispute: str
    state: DisputeState
    ticket: str = ""
    comment: str = ""
    granted: int | None = None


@dataclass(frozen=True, slots=True)
class BuyTokens:
    """A purchase of token packs."""

    packs: tuple[TokenPack, ...]


@dataclass(frozen=True, slots=True)
class CreditTokens:
    """Tokens given back to a team, with the reason; ``debit`` is the ledger entry they make good, ``''`` for none."""

    team: str
    tokens: int
    reason: str
    debit: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time in the log: evidence counts as complete up to ``complete_until``; charge windows before are settled."""

    complete_until: int


Order = (
    Assign | Release | CheckOut | CheckIn | Close | Void | Unvoid | OpenDispute | MoveDispute | BuyTokens
    | CreditTokens | Tick
)  # fmt: skip
"""What a command asks for."""

ORDER_KINDS: Final[dict[str, type[Order]]] = {
    "assign": Assign,
    "release": Release,
    "checkout": CheckOut,
    "checkin": CheckIn,
    "close": Close,
    "void": Void,
    "unvoid": Unvoid,
    "dispute": OpenDispute,
    "dispute-state": MoveDispute,
    "buy-tokens": BuyTokens,
    "credit-tokens": CreditTokens,
    "tick": Tick,
}
"""The name of each order in its message."""


@dataclass(frozen=True, slots=True)
class Command:
    """An order of an account, by whom and when it was issued. ``id`` makes sending it again harmless."""

    id: str
    account: str
    by: str
    issued_at: int
    order: Order


@dataclass(frozen=True, slots=True)
class Logged:
    """A command as the log holds it, and when the broker received it. Readers hold these in log order."""

    command: Command
    received_at: int


@dataclass(frozen=True, slots=True)
class Refused:
    """An order that changed nothing: a stable code, a sentence for people, and when it becomes possible, if ever."""

    id: str
    code: str
    sentence: str
    possible_at: int | None = None
