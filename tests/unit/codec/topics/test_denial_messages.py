"""Denials survive a round trip; foreign messages are refused."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codec.topics.denial_messages import Denial, decode, encode
from tests.support.evidence.frame_members import AT
from tests.support.evidence.schema_examples import event_validator

DENIAL = Denial("acme", "9e10", "denied", AT, "MSTN", "jana", "ws-1", "No licence (-4,342)", "lmgrd.log", 812)
SCHEMA = event_validator("denial")
TEXTS = st.text(max_size=10)


@given(
    denial=st.builds(
        Denial,
        account=st.text(min_size=1, max_size=10),
        id=st.text(min_size=1, max_size=10),
        kind=st.sampled_from(["denied", "unsupported", "queued", "dequeued"]),
        at=st.integers(0, 2**48),
        feature=TEXTS,
        user=TEXTS,
        machine=TEXTS,
        detail=TEXTS,
        source=TEXTS,
        line=st.integers(1, 2**48),
    )
)
def test_a_denial_survives_a_round_trip(denial: Denial) -> None:
    assert decode(encode(denial)) == denial
    assert SCHEMA.is_valid(orjson.loads(encode(denial)))


def denial_with(**changes: object) -> bytes:
    fields: dict[str, object] = orjson.loads(encode(DENIAL))
    return orjson.dumps({**fields, **changes})


@pytest.mark.parametrize(
    "value",
    [
        *(b"", b"\xff", b"{", b"null", b"1", b"true", b'"DENIED"', b"[]", b"[1]", b"{}"),
        denial_with(v=2),
        denial_with(v=None),
        denial_with(kind="reserved"),
        denial_with(kind=["denied"]),
        denial_with(reason="no licence"),
        denial_with(kind="borrowed"),
        denial_with(user=7),
        denial_with(line="812"),
        orjson.dumps({"v": 1, "account": "acme"}),
    ],
)
def test_a_foreign_message_is_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(value)
