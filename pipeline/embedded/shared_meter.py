"""Two meters side by side, each on a core of its own: which partitions of ``heartbeats`` each of them reads.

Each is a consumer group of its own: the embedded broker does not serve a second member of a group well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeVar

from pipeline.agents.consuming import Agent

Output = TypeVar("Output")
Share = Literal["first", "second"]


def is_read_by(share: Share, partition: int) -> bool:
    """Whether a meter reads a partition. The first has fewer: its process also reads the files, and stores."""
    return (partition % 4 == 0) == (share == "first")


def shared(agent: Agent[Output], share: Share) -> Agent[Output]:
    """The agent for one share. The second is a consumer group of its own."""
    role = agent.role if share == "first" else f"{agent.role}-2"
    return replace(agent, role=role, reads=lambda partition: is_read_by(share, partition))
