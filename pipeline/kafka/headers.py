"""Headers of Kafka messages: their names, and what each holds (UTF-8 text unless stated)."""

from __future__ import annotations

from typing import Final

SOURCE_HEADER: Final = "source"
"""The file that an importer read the message from."""
LINES_HEADER: Final = "lines"
"""The line of each heartbeat in that file: a JSON array of numbers, in the order of the frame."""
PROBLEM_HEADER: Final = "problem"
"""The mistake that an importer saw in a line that it sends unchanged."""
CODE_HEADER: Final = "code"
"""The code of that problem: why the line is a dead letter."""
APPLIED_BY_HEADER: Final = "applied_by"
"""Who applied the contract that the message holds."""
REPLAYS_HEADER: Final = "replays"
"""The id of the dead letter that the message holds."""
USAGE_VERSION_HEADER: Final = "usage"
"""The version of the format of a message on ``usage``; without it the message is JSON, version 1."""
RECEIVED_HEADER: Final = "received_at"
"""When the broker received that dead letter's message: epoch ms as a decimal number."""
