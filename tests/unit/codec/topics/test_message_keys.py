"""Kafka keys: the exact bytes and partitions of ``schemas/topics/keys.yaml``."""

from __future__ import annotations

from typing import TypedDict, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipeline.codec.schema_folder import schema_folder
from pipeline.codec.topics.message_keys import account_of, decode_key, encode_key
from pipeline.kafka.topics import partition_of

PARTS = st.lists(st.text(max_size=20), max_size=4)
PUBLISHED = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
"""Hashes that Apache Kafka's own tests expect of its murmur2 (``UtilsTest``)."""


class Vector(TypedDict):
    parts: list[str]
    key: str
    partition_of_12: int


VECTORS = cast(
    list[Vector],
    YAML(typ="safe", pure=True).load((schema_folder() / "topics" / "keys.yaml").read_bytes())["vectors"],
)


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit murmur2, written from its published algorithm (``org.apache.kafka.common.utils.Utils``)."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    digest = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        digest = digest * multiplier & mask ^ word
    if whole < len(data):
        digest = (digest ^ int.from_bytes(data[whole:], "little")) * multiplier & mask
    digest = (digest ^ digest >> 13) * multiplier & mask
    return digest ^ digest >> 15


@pytest.mark.parametrize("data", PUBLISHED)
def test_this_murmur2_matches_the_values_that_kafka_publishes(data: bytes) -> None:
    assert murmur2(data) == PUBLISHED[data] & 0xFFFFFFFF


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: repr(vector["parts"])[:40])
def test_each_vector_has_its_key_and_its_partition(vector: Vector) -> None:
    key = encode_key(*vector["parts"])
    assert key.hex() == vector["key"]
    assert decode_key(key) == tuple(vector["parts"])
    assert partition_of(key, 12) == vector["partition_of_12"] == (murmur2(key) & 0x7FFFFFFF) % 12


def test_the_vectors_contain_the_cases_in_which_implementations_differ() -> None:
    parts = [tuple(vector["parts"]) for vector in VECTORS]
    assert len(parts) >= 6
    assert {("a", "bc"), ("ab", "c"), ("acme", "")} <= set(parts)
    assert any(not part.isascii() for character in parts for part in character)
    assert any(murmur2(bytes.fromhex(vector["key"])) >= 2**31 for vector in VECTORS)
    assert len({vector["key"] for vector in VECTORS}) == len(VECTORS)


@given(data=st.binary(max_size=64), partitions=st.integers(1, 500))
def test_the_partition_is_the_brokers_murmur2_without_its_sign(data: bytes, partitions: int) -> None:
    assert partition_of(data, partitions) == (murmur2(data) & 0x7FFFFFFF) % partitions


@given(parts=PARTS)
def test_a_key_decodes_to_its_parts(parts: list[str]) -> None:
    assert decode_key(encode_key(*parts)) == tuple(parts)


@given(first=PARTS, other=PARTS)
def test_different_tuples_have_different_keys(first: list[str], other: list[str]) -> None:
    assert (encode_key(*first) == encode_key(*other)) == (first == other)


@given(key=st.binary(max_size=40))
def test_a_foreign_key_is_refused_and_has_no_account(key: bytes) -> None:
    try:
        parts = decode_key(key)
    except ValueError:
        parts = ()
    assert account_of(key) == (parts[0] if parts else "")


@pytest.mark.parametrize(
    "key",
    [
        b"acme",
        b"\x00\x00\x00",
        b"\x00\x00\x00\x05acme",
        b"\x00\x00\x00\x04acme\x00",
        b"\x00\x00\x00\x01\xff",
        b"\xff\xff\xff\xffacme",
    ],
)
def test_bytes_that_are_not_a_length_prefixed_tuple_are_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match=r"length-prefixed|utf-8"):
        decode_key(key)
    assert account_of(key) == ""


@pytest.mark.parametrize(
    ("key", "account"),
    [(None, ""), (b"", ""), (encode_key("acme"), "acme"), (encode_key("acme", "jana"), "acme"), (encode_key(""), "")],
)
def test_the_account_of_a_key_is_its_first_part(key: bytes | None, account: str) -> None:
    assert account_of(key) == account
