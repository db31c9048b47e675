"""A store that is away for long: metering continues, lag is visible, memory is flat, and nothing is lost (R4)."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.keeping import Keeper
from tests.chaos.world import World
from tests.support.process.processes import free_port

pytestmark = pytest.mark.chaos

_GROWTH_KB_MAX: Final = 48 * 1024


def test_metering_continues_with_visible_lag_and_flat_memory_while_the_store_is_away(world: World) -> None:
    health = f"127.0.0.1:{free_port()}"
    world.keep("meter")
    sink = world.keep("sink", health_address=health, sink_checkpoint_messages=500)
    world.send(300)
    world.until_drained()
    memory_kb = _memory_kb(sink)
    refused = sink.said("the store refused a write")
    world.seam.down()
    largest_kb, lag = memory_kb, 0
    for _ in range(world.form.turns_away):
        world.send(world.form.messages_a_turn)
        world.until_drained("meter")
        lag_now = world.lag("sink")
        assert lag_now > lag
        lag = lag_now
        largest_kb = max(largest_kb, _memory_kb(sink))
    world.until(lambda: sink.said("the store refused a write") > refused + 1)
    world.until(lambda: _lag_told(_get(health, "metrics")[1]) >= lag)
    assert _get(health, "readyz")[0] == 503
    assert _get(health, "healthz")[0] == 200
    assert largest_kb < memory_kb + _GROWTH_KB_MAX
    world.seam.clear()
    world.check_running()
    world.until(lambda: _get(health, "readyz")[0] == 200)
    assert sink.statuses == []
    world.check()


def _memory_kb(keeper: Keeper) -> int:
    assert keeper.process is not None
    status = Path(f"/proc/{keeper.process.pid}/status").read_text()
    resident = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert resident is not None
    return int(resident[1])


def _get(address: str, what: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{address}/{what}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def _lag_told(metrics: str) -> int:
    lags: Mapping[str, str] = dict(re.findall(r'(seatbeat_lag_messages\{[^}]*role="sink"[^}]*\}) ([\d.]+)', metrics))
    return sum(round(float(value)) for value in lags.values())
