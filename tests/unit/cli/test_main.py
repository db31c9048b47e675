"""``seatbeat``: a command that is done is gone, whatever hangs while the interpreter ends."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.process.processes import ROOT

pytestmark = pytest.mark.slow

DONE_AND_HANGS = """
import atexit, sys, time
from pipeline.cli import command_registry, main
command_registry.run_command = lambda *_: 2
atexit.register(time.sleep, 3600)
sys.argv = ["seatbeat"]
sys.exit(main.main())
"""


def test_a_command_that_is_done_is_gone_with_its_status_although_something_hangs_at_exit() -> None:
    environment = {**os.environ, "SEATBEAT_END_S": "1"}
    done = subprocess.run(
        [sys.executable, "-c", DONE_AND_HANGS], capture_output=True, cwd=ROOT, env=environment, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"seatbeat: done, and not gone 1 s later: left with status 2")
