"""A packet without names: people, machines and sessions are numbered as they appear, each the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline.rules.dispute.packet import Packet


def with_pseudonyms(packet: Packet) -> Packet:
    """The same packet with ``user 1``, ``machine 1`` and ``session 1`` in order of the evidence rows.

    A packet always gets the same numbers. The numbers of different packets have nothing to do with each other.
    """
    keys = [evidence.session.key for evidence in packet.evidence]
    users = _numbered("user", (key.user for key in keys))
    machines = _numbered("machine", (key.machine for key in keys))
    renamed = []
    for number, evidence in enumerate(packet.evidence, 1):
        key = evidence.session.key
        pseudonym = key._replace(user=users[key.user], machine=machines[key.machine], session=f"session {number}")
        renamed.append(replace(evidence, session=replace(evidence.session, key=pseudonym)))
    return replace(packet, evidence=tuple(renamed), pseudonyms=True)


def _numbered(kind: str, names: Iterable[str]) -> dict[str, str]:
    return {name: f"{kind} {number}" for number, name in enumerate(dict.fromkeys(names), 1)}
