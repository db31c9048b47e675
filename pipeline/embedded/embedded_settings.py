"""Settings of agents on the embedded broker: quick answers rather than large checkpoints."""

from __future__ import annotations

import sys
from typing import Final

from pipeline.kafka.settings import Settings

CHECKPOINT_MS: Final = 100
MUCH_SINK_CHECKPOINT_MS: Final = 500
"""Of a run over much input: an insert costs the engine the same for ten rows as for a thousand."""
FETCH_WAIT_MS: Final = 50


def embedded_settings(bootstrap: str, log_id: str, *, much: bool = False) -> Settings:
    """The settings of a run's agents. Nothing is put into quarantine: a file's dead letters are all wanted."""
    return Settings(
        kafka_bootstrap=bootstrap,
        log_id=log_id,
        quarantine_letters=sys.maxsize,
        meter_checkpoint_ms=CHECKPOINT_MS,
        sink_checkpoint_ms=MUCH_SINK_CHECKPOINT_MS if much else CHECKPOINT_MS,
        seats_rebuild_after_ms=1,
        commit_interval_ms=CHECKPOINT_MS,
        fetch_wait_ms=FETCH_WAIT_MS,
        session_timeout_s=3,
        rebalance_timeout_s=3,
        topics="embedded",
    )
