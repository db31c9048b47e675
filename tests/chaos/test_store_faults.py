"""Every fault of a store: refused, slow, errors before and after the effect, cut answers, full disk, killed."""

from __future__ import annotations

from typing import Final

import pytest

from tests.chaos.world import World
from tests.support.clickhouse.faults import KINDS, Kind

pytestmark = pytest.mark.chaos

_TABLES: Final = ("usage_days", "session_closes", "dead_letters", "denials", "deliveries")
_SLOW_MS: Final = 700


@pytest.mark.parametrize("kind", KINDS)
def test_faults_of_inserts_change_nothing(steady: World, kind: Kind) -> None:
    before = steady.seam.counters().injected.get(kind, 0)
    tables = steady.chance.sample(_TABLES, steady.form.tables)
    for table in tables:
        steady.seam.fault(kind, table=table, delay_ms=_SLOW_MS, times=steady.form.faults)
    wanted = before + len(tables) * steady.form.faults
    with steady.feeding():
        steady.until(lambda: steady.seam.counters().injected.get(kind, 0) == wanted)
    steady.check_running()


def test_killing_and_restarting_the_store_changes_nothing(steady: World) -> None:
    with steady.feeding():
        steady.until(lambda: steady.lag("sink") < 50)
        steady.seam.kill()
        steady.send(100)
        steady.seam.start()
        steady.send(100)
    steady.check_running()
