"""Lists of a contract: token packs, assigned seats and checkouts."""

from __future__ import annotations

import pytest

from pipeline.model.instants import iso
from tests.support.evidence.contract_shorthand import POOL, entitled, mistakes, read


@pytest.mark.parametrize("written", ["2022-05-02T06:00:00Z", "2022-05-02 08:00:00+02:00", '"2022-05-02T06:00Z"'])
def test_a_time_is_read_with_its_zone(written: str) -> None:
    contract = read(f"token_packs: [{{id: P, tokens: 5, purchased_at: {written}}}]\n")
    assert iso(contract.token_packs[0].purchased_at) == "2022-05-02T06:00:00Z"


def test_users_and_machines_are_folded() -> None:
    body = (
        entitled(POOL)
        + "checkouts:\n  - {product: MSTN, user: JANA, machine: WS-9, from: 2022-05-02, until: 2022-05-03}\n"
    )
    assert (read(body).checkouts[0].user, read(body).checkouts[0].machine) == ("jana", "ws-9")


def test_an_assignment_counts_in_the_country_of_its_seats() -> None:
    seats = "product: MSTN, model: practitioner, quantity: 1, from: 2022-01-01, country: SK"
    assigned = "assignments:\n  - {{product: MSTN, user: jana, at: 2022-02-01{}}}\n"
    assert len(mistakes(entitled(seats) + assigned.format(""))) == 1
    assert mistakes(entitled(seats) + assigned.format(", country: SK")) == []


def test_a_checkin_ends_its_checkout_but_not_before_its_start() -> None:
    taken = "product: MSTN, user: a, machine: b, from: 2022-05-02, until: 2022-05-04"
    checkout = f"checkouts:\n  - {{{{{taken}, checked_in_at: {{}}}}}}\n"
    assert mistakes(entitled(POOL) + checkout.format("2022-05-02")) == []
    assert mistakes(entitled(POOL) + checkout.format("2022-05-04")) == []
    assert len(mistakes(entitled(POOL) + checkout.format("2022-05-01T23:59:59Z"))) == 1
    assert len(mistakes(entitled(POOL) + checkout.format("2022-05-04T00:00:01Z"))) == 1
