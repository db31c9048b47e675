"""A purchase in several packs: ids, sizes, and the price shared to the smallest unit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.rules.tokens.purchases import packs_of


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
