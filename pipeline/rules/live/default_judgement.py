"""How use is judged while its account has no contract: by the default policy, every code as it was reported."""

from __future__ import annotations

from pipeline.model.instants import Period
from pipeline.policy.metering_policies import MeteringTimeline
from pipeline.rules.pool.reading import Judgement


class DefaultJudgement:
    """Judges without a contract: nothing is replaced, nothing is a plug-in, and nothing is charged in tokens."""

    def __init__(self, timeline: MeteringTimeline) -> None:
        self._timeline = timeline

    def judgements(self, code: str, reported_country: str, period: Period) -> tuple[Judgement, ...]:
        """As ``ContractReading.judgements``. Raises ``BeforeFirstRow``."""
        return tuple(
            Judgement(code, reported_country, code, reported_country, row.from_at, row.until_at, row.value)
            for row in self._timeline.segments(period.start_at, period.end_at)
        )
