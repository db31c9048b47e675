"""Reading denials: what was refused, for which product of the contract, and whether it stayed refused."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.application.account_view import AccountView
from pipeline.codec.topics.denial_messages import Denial
from pipeline.rules.evidence.true_denials import CheckoutTimes
from pipeline.store.stored_denials import DenialFilter, read_checkouts_after, read_denials


class JudgedDenial(NamedTuple):
    """A denial, the product its feature counts for, and whether it is true (``None`` for what is no denial)."""

    denial: Denial
    product: str
    is_true: bool | None


def judged_denials(
    view: AccountView,
    *,
    from_at: int,
    until_at: int,
    product: str = "",
    user: str = "",
    true_only: bool = False,
) -> list[JudgedDenial]:
    """The denials in ``[from_at, until_at)`` by time; which are true is judged by the sessions stored now.

    ``product`` is a product of the contract or a feature as the server names it; ``user`` is folded.
    """
    client, reading = view.client, view.reading
    wanted = DenialFilter(
        account=view.account,
        from_at=from_at,
        until_at=until_at,
        features=reading.codes_of(product) if product else (),
        user=user,
    )
    denials = read_denials(client, wanted)
    checkouts = CheckoutTimes(read_checkouts_after(client, denials))
    judged = [
        JudgedDenial(
            denial,
            reading.product_at(denial.feature, denial.at),
            checkouts.is_true_denial(denial.kind, denial.feature, denial.user, denial.at),
        )
        for denial in denials
    ]
    return [
        denial
        for denial in judged
        if (not product or product in {denial.product, denial.denial.feature}) and (denial.is_true or not true_only)
    ]
