"""Tokens workers with one defence removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from pipeline.agents.faust import consumer
from pipeline.model.ledger_entries import Posting
from pipeline.rules.tokens.ledger import Ledger
from tests.chaos.mutations import AcknowledgesFirst


def acknowledges_before_it_stands() -> None:
    """Acknowledge an order before its posting is written."""
    consumer.Checkpoints = AcknowledgesFirst  # type: ignore[attr-defined]  # a worker builds whatever stands there


def sequence_numbers_are_ignored() -> None:
    """Accept every posting in the log, whatever its number."""
    append = Ledger.append

    def takes_all(self: Ledger, posting: Posting) -> bool:
        new = tuple(entry for entry in posting.entries if entry.id not in self.entries)
        return append(self, replace(posting, sequence=self.sequence + 1, entries=new))

    Ledger.append = takes_all  # type: ignore[method-assign]  # as above


TOKEN_MUTATIONS: Final[Mapping[str, Callable[[], None]]] = {
    "ack before it stands": acknowledges_before_it_stands,
    "sequence numbers ignored": sequence_numbers_are_ignored,
}
