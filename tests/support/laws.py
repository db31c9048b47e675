"""The number of examples of a property: as written, or a tenth for quick runs (``QUICK_LAWS=yes``)."""

from __future__ import annotations

import os
from typing import Final

QUICK_VARIABLE: Final = "QUICK_LAWS"
QUICK_SHARE: Final = 10
QUICK_EXAMPLES_MIN: Final = 5


def examples(count: int) -> int:
    """``count`` examples, or a tenth of them but at least five in a quick run."""
    if os.environ.get(QUICK_VARIABLE):
        return min(count, max(QUICK_EXAMPLES_MIN, count // QUICK_SHARE))
    return count
