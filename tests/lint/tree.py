"""The tree of packages: a word finds one file, a class name means one thing, a folder can be read at a glance."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

FILES_MAX: Final = 20
"""Modules in one folder, ``__init__`` left out."""
COMMANDS: Final = "commands"
"""The folder with a module for each command, however many commands there are."""
PREFIX_FILES_MAX: Final = 3
"""Modules of one folder that begin with the same word; four are a folder of their own."""


def bad_tree(root: Path) -> Iterator[str]:
    """A line for each basename or class name with two meanings, and for each folder that wants to be cut."""
    modules = sorted(path for path in root.rglob("*.py") if path.name != "__init__.py")
    yield from _twice("module", ((path.stem, str(path)) for path in modules))
    yield from _twice("class", (place for path in root.rglob("*.py") for place in _classes(path)))
    folders = defaultdict[Path, list[str]](list)
    for path in modules:
        folders[path.parent].append(path.stem)
    for folder, stems in folders.items():
        if len(stems) > FILES_MAX and folder.name != COMMANDS:
            yield f"{folder}: {len(stems)} modules in one folder; cut it by subject"
        prefixes = defaultdict[str, list[str]](list)
        for stem in stems:
            prefixes[stem.partition("_")[0]].append(stem)
        for prefix, group in prefixes.items():
            if len(group) > PREFIX_FILES_MAX:
                yield f"{folder}: {len(group)} modules begin with {prefix!r}; make it a folder"
    for init in root.rglob("__init__.py"):
        if ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) is None:
            yield f"{init}:1: the package does not say what its files are"


def _classes(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            yield node.name.lstrip("_"), f"{path}:{node.lineno}"


def _twice(what: str, named: Iterable[tuple[str, str]]) -> Iterator[str]:
    places = defaultdict[str, list[str]](list)
    for name, place in named:
        places[name].append(place)
    for name, several in sorted(places.items()):
        if len(several) > 1:
            yield f"{several[0]}: the {what} name {name!r} stands for {len(several)} things: {', '.join(several)}"
