"""Wraps the tokens agent to report its steps and the steps of a posting."""

from __future__ import annotations

import asyncio

from pipeline.agents.tokens.ledger_log import LedgerLog
from pipeline.agents.tokens.ticks import Ticks
from pipeline.agents.tokens.tokens_agent import TokensStep
from pipeline.model.ledger_entries import Posting
from tests.chaos.steps import Passing


def stand_around_tokens(passing: Passing) -> None:
    """Report every step; append times are the story's instead of the clock's."""
    take, drain, post = TokensStep.take, TokensStep.drain, LedgerLog.post

    def heard_take(self: TokensStep, message: object) -> None:
        take(self, message)  # type: ignore[arg-type]  # a seam
        passing.step("taken")

    def heard_drain(self: TokensStep) -> object:
        drained = drain(self)
        passing.step("drained")
        return drained

    async def heard_post(self: LedgerLog, posting: Posting, value: bytes) -> bool:
        passing.step("drafted")
        stands = await post(self, posting, value)
        passing.step("read back")
        return stands

    async def gives_none(_self: Ticks, _mark: int) -> None:
        await asyncio.sleep(0)

    TokensStep.take = heard_take  # type: ignore[method-assign]  # a seam
    TokensStep.drain = heard_drain  # type: ignore[method-assign,assignment]  # a seam
    LedgerLog.post = heard_post  # type: ignore[method-assign]  # a seam
    Ticks.give = gives_none  # type: ignore[method-assign,assignment]  # a seam
