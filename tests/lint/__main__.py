"""The lints over files, or over everything."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.lint.names import bad_names
from tests.lint.tree import bad_tree


def main(arguments: list[str]) -> int:
    """Print every mistake; 1 where there is one. The tree is looked at whole in any case: a name is taken elsewhere."""
    roots = [Path("pipeline"), Path("tests")]
    files = [Path(argument) for argument in arguments] or sorted(path for root in roots for path in root.rglob("*.py"))
    mistakes = [mistake for path in files for mistake in bad_names(path)]
    mistakes += bad_tree(roots[0])
    for mistake in mistakes:
        print(mistake)
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
