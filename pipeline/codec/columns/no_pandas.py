"""Keeps pandas out of a program's process.

Arrow imports pandas, where it is installed, as soon as an array is made of a list, to ask whether the list is one of
pandas. The embedded engine's package brings it, nothing of ours uses it, and it takes a quarter of a second and 35 MB.
"""

from __future__ import annotations

import sys


class _NoPandas:
    """Not ``sys.modules["pandas"] = None``, as is usual: Arrow, which is compiled, then takes ``None`` for pandas."""

    def find_spec(self, name: str, *_: object) -> None:
        """Raises ``ModuleNotFoundError`` for pandas, as if it were not installed."""
        if name == "pandas":
            raise ModuleNotFoundError("Seatbeat keeps pandas out of its programs", name=name)


def keep_pandas_out() -> None:
    """From now on pandas is not found. For programs only: a library's user may want it."""
    if not any(isinstance(finder, _NoPandas) for finder in sys.meta_path):
        sys.meta_path.insert(0, _NoPandas())
