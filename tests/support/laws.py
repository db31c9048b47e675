"""How long properties are searched: as written, or a tenth of it for a first answer (``QUICK_LAWS=yes``)."""

from __future__ import annotations

import os
from typing import Final

QUICK_VARIABLE: Final = "QUICK_LAWS"
QUICK_SHARE: Final = 10
QUICK_EXAMPLES_MIN: Final = 5


def examples(count: int) -> int:
    """``count`` examples of a property, or a tenth of them but five at least where a quick answer is asked for."""
    if os.environ.get(QUICK_VARIABLE):
        return min(count, max(QUICK_EXAMPLES_MIN, count // QUICK_SHARE))
    return count
