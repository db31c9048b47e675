"""Orders of tokens: purchases and credits, carried out or refused from the log alone (RULES 6).

An order is carried out whole or not at all. A refused order stays refused, whatever comes later: the refusal is an
entry of the ledger.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from pipeline.model.contracts import Contract, TokenPack
from pipeline.model.ledger_entries import Credit, Debit, Grant, Part
from pipeline.model.orders import BuyTokens, CreditTokens, Logged, Refused
from pipeline.rules.tokens.pack_order import expires_at

DEFAULT_TEAM = "default"
PACKS_MAX = 300
"""The packs of a purchase at most: it is posted whole, so it must fit into a message."""

PURCHASE_UNCONFIRMED_MAX = 100_000
"""The tokens of a purchase that nobody asks about, some hundred thousand of any currency: what is bought stays so."""


def teams_of(contract: Contract) -> frozenset[str]:
    """The teams of an account: those that its contract's packs name, and the default team."""
    return frozenset({DEFAULT_TEAM, *(pack.team for pack in contract.token_packs)})


def grant_of(pack: TokenPack, command: str = "") -> Grant:
    """The grant of a pack, by an order's id or by the contract."""
    return Grant(
        team=pack.team,
        pack=pack.id,
        purchase=pack.purchase,
        tokens=pack.tokens,
        purchased_at=pack.purchased_at,
        expires_at=expires_at(pack.purchased_at),
        price=pack.price,
        command=command,
    )


def buy(
    logged: Logged, order: BuyTokens, grants: Mapping[str, Grant], packs: Collection[str], teams: Collection[str]
) -> list[Grant] | Refused:
    """The packs that a purchase adds; none where all were bought before.

    ``grants`` are the packs bought so far, ``packs`` the ids of all packs, those of credits included. A purchase is
    made once: an order of new packs under the number of an earlier purchase, from a contract or order, is refused.
    """
    if len(order.packs) > PACKS_MAX:
        sentence = f"a purchase has {PACKS_MAX} packs at most, and this one has {len(order.packs)}; order it in parts"
        return Refused(logged.command.id, "too_many_packs", sentence)
    new: dict[str, Grant] = {}
    for pack in order.packs:
        refused = _refused_pack(logged, pack, teams)
        if refused is not None:
            return refused
        grant = grant_of(pack, logged.command.id)
        earlier = new.get(pack.id) or grants.get(pack.id)
        if earlier is None and pack.id not in packs:
            new[pack.id] = grant
        elif earlier is None or _content(earlier) != _content(grant):
            return Refused(
                logged.command.id,
                "pack_conflict",
                f"a pack {pack.id} was bought before with other content, which stands; give each pack an id of its own",
            )
    reused = {pack.purchase for pack in new.values()} & {grant.purchase for grant in grants.values()} - {""}
    if reused:
        return Refused(
            logged.command.id,
            "purchase_conflict",
            f"the purchase {min(reused)} was made before with other packs, which stand; give each one its number",
        )
    return list(new.values())


def _content(grant: Grant) -> tuple[object, ...]:
    return grant.team, grant.purchase, grant.tokens, grant.purchased_at, grant.price


def _refused_pack(logged: Logged, pack: TokenPack, teams: Collection[str]) -> Refused | None:
    if pack.tokens <= 0:
        return Refused(logged.command.id, "no_tokens", f"pack {pack.id} has {pack.tokens} tokens; it must have some")
    if pack.team not in teams:
        names = ", ".join(sorted(teams))
        return Refused(logged.command.id, "unknown_team", f"there is no team {pack.team}; the contract has {names}")
    if pack.purchased_at > logged.received_at:
        sentence = f"pack {pack.id} is bought later than the order arrived; order it when it is bought"
        return Refused(logged.command.id, "purchased_in_future", sentence, pack.purchased_at)
    return None


def credit(
    logged: Logged, order: CreditTokens, debit: Debit | None, credited: int, teams: Collection[str]
) -> Credit | Refused:
    """The credit that an order makes.

    The tokens of a debit go back to the packs that paid it, the last pack first, and expire with them. Without a debit
    they are a pack of their own, valid for a year from the order on.
    """
    id_ = logged.command.id
    if order.tokens <= 0:
        return Refused(id_, "no_tokens", f"{order.tokens} tokens cannot be given back; give a number from 1 on")
    if order.team not in teams:
        return Refused(
            id_, "unknown_team", f"there is no team {order.team}; the contract has {', '.join(sorted(teams))}"
        )
    if not order.debit:
        return Credit(order.team, (Part(f"credit:{id_}", order.tokens),), "", order.reason, id_)
    if debit is None or debit.team != order.team:
        return Refused(id_, "unknown_debit", f"team {order.team} has no debit {order.debit} before this order")
    if order.tokens > debit.tokens - credited:
        left = debit.tokens - credited
        return Refused(id_, "credit_too_large", f"of the debit {order.debit} {left} tokens can be given back")
    return Credit(order.team, tuple(_given_back(debit.parts, credited, order.tokens)), order.debit, order.reason, id_)


def _given_back(parts: Iterable[Part], credited: int, tokens: int) -> Iterable[Part]:
    """What goes back to which pack: the last that paid first, without what was given back before."""
    for part in reversed(list(parts)):
        before = min(credited, part.tokens)
        credited -= before
        given = min(tokens, part.tokens - before)
        tokens -= given
        if given:
            yield Part(part.pack, given)
