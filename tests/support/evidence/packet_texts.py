"""Dispute packets as text in each form and language."""

from __future__ import annotations

from typing import Final

import pytest

from pipeline.codec.packets.language import TONGUES, Tongue, language
from pipeline.codec.packets.packet_files import NAMES, Form, packet_bytes
from pipeline.model.evidence import Heartbeat
from pipeline.rules.dispute.packet import Packet
from tests.support.evidence.evidence_shorthand import heartbeat, instant
from tests.support.evidence.packet_shorthand import example

FORMS: Final[tuple[Form, ...]] = tuple(NAMES)
EXAMPLE: Final = example()
each_language = pytest.mark.parametrize("tongue", TONGUES)


def text_of(packet: Packet, form: Form, tongue: Tongue = "en") -> str:
    """A packet in a form, decoded."""
    return packet_bytes(packet, form, language(tongue)).decode()


def four_sessions(user: str, machine: str, session: str) -> list[Heartbeat]:
    """An hour's use in four sessions whose names begin with these texts."""
    since, at = instant("2022-05-03 15:00"), instant("2022-05-03 16:00")
    return [heartbeat(since, at, user=f"{user}{n}", machine=f"{machine}{n}", session=f"{session}{n}") for n in range(4)]
