"""``seatbeat tokens``: how a purchase is split into packs, and which requests it refuses before it opens a store."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.commands import tokens
from pipeline.cli.commands.tokens_orders import packs_of
from pipeline.model.errors import InputError


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    tokens.add_parser(parser.add_subparsers())
    args = parser.parse_args(["tokens", *arguments])
    declared: Callable[[argparse.Namespace], int] = args.run
    return declared(args)


def test_a_purchase_in_one_pack_has_its_number_as_the_packs_id() -> None:
    (pack,) = packs_of("PO-77", "PO-77", "default", (500,), 0, 150_000)
    assert (pack.id, pack.purchase, pack.tokens, pack.price) == ("PO-77", "PO-77", 500, 150_000)


@given(sizes=st.lists(st.integers(1, 10**6), min_size=1, max_size=8), price=st.integers(0, 10**9))
def test_the_price_of_a_purchase_is_shared_to_the_smallest_unit(sizes: list[int], price: int) -> None:
    packs = packs_of("PO-77", "PO-77", "default", sizes, 0, price)
    assert [pack.tokens for pack in packs] == sizes
    assert len({pack.id for pack in packs}) == len(sizes)
    assert sum(pack.price or 0 for pack in packs) == price
    assert all(abs((pack.price or 0) - price * pack.tokens / sum(sizes)) < 1 for pack in packs)


@pytest.mark.parametrize(
    ("arguments", "place", "code"),
    [
        (("buy", "--tokens", "0"), "--tokens", "no_tokens"),
        (("buy", "--tokens", "-5"), "--tokens", "no_tokens"),
        (("buy", "--tokens", "5", "--packs", "5", "0"), "--packs", "no_tokens"),
        (("buy", "--tokens", "500", "--packs", "200", "200"), "--packs", "no_sum"),
        (("credit", "--tokens", "0", "--reason", "x"), "--tokens", "no_tokens"),
        (("buy", "--tokens", "5", "--id", "b1"), "--purchased-at", "is not given"),
        (("ledger", "--from", "2022-07-01", "--until", "2022-06-01"), "--until", "is not after --from"),
        (("explain", "--entry", "e", "--user", "eva"), "--entry", "goes with nothing else"),
        (("explain", "--entry", "e", "--from", "2022-06-01"), "--entry", "goes with nothing else"),
    ],
)
def test_bad_requests_are_refused_with_place_code_and_remedy(arguments: tuple[str, ...], place: str, code: str) -> None:
    with pytest.raises(InputError, match=code) as refused:
        run(*arguments, "--data-dir", "nowhere")
    assert str(refused.value).startswith(f"{place}: ")
    assert refused.value.remedy
