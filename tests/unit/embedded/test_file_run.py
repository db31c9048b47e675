"""A second meter is for much input, and for a machine with a second core."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pipeline.embedded.file_run import SECOND_METER_BYTES, meters_for
from pipeline.embedded.inputs import Input


@pytest.mark.parametrize(
    ("sizes", "cores", "meters"),
    [
        ([], 2, 1),
        ([SECOND_METER_BYTES - 1], 2, 1),
        ([SECOND_METER_BYTES], 2, 2),
        ([SECOND_METER_BYTES // 2] * 2, 8, 2),
        ([SECOND_METER_BYTES], 1, 1),
    ],
)
def test_a_run_has_a_second_meter_for_much_input_and_a_second_core(
    sizes: list[int], cores: int, meters: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform == "linux":
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    inputs = []
    for number, size in enumerate(sizes):
        path = tmp_path / str(number)
        path.touch()
        os.truncate(path, size)
        inputs.append(Input(path.name, str(path)))
    assert meters_for(tuple(inputs)) == meters
