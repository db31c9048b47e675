"""A packet without names: people, machines and sessions are numbered as they appear, each the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline.rules.dispute.packet import Packet


def with_pseudonyms(packet: Packet) -> Packet:
    """The same packet with ``user 1``, ``machine 1`` and ``session 1`` in order of the evidence rows.

    The same packet always gets the same numbers; another packet numbers anew.
    """
    keys = [one.session.key for one in packet.evidence]
    users = _numbered("user", (key.user for key in keys))
    machines = _numbered("machine", (key.machine for key in keys))
    evidence = tuple(
        replace(
            one,
            session=replace(
                one.session,
                key=one.session.key._replace(
                    user=users[one.session.key.user],
                    machine=machines[one.session.key.machine],
                    session=f"session {number}",
                ),
            ),
        )
        for number, one in enumerate(packet.evidence, 1)
    )
    return replace(packet, evidence=evidence, pseudonyms=True)


def _numbered(kind: str, names: Iterable[str]) -> dict[str, str]:
    return {name: f"{kind} {number}" for number, name in enumerate(dict.fromkeys(names), 1)}
