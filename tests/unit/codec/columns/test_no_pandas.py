"""pandas stays out of a program's process, and Arrow works without it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.support.process.processes import ROOT

KEPT_OUT = """
import sys
from pipeline.codec.columns.no_pandas import keep_pandas_out
keep_pandas_out()
keep_pandas_out()
import pyarrow as pa
assert pa.table({"a": [1, None], "b": ["x", "y"]}).to_pydict() == {"a": [1, None], "b": ["x", "y"]}
try:
    import pandas
except ModuleNotFoundError as error:
    print(error, len([finder for finder in sys.meta_path if "NoPandas" in type(finder).__name__]))
"""


@pytest.mark.slow
def test_arrow_does_not_load_pandas() -> None:
    if find_spec("pandas") is None:
        pytest.skip("pandas is not installed")
    done = subprocess.run([sys.executable, "-c", KEPT_OUT], capture_output=True, cwd=ROOT, text=True, check=False)
    assert (done.stdout, done.stderr) == ("Seatbeat keeps pandas out of its programs 1\n", "")
