"""Names that say nothing: ``one``, ``told``, ``found`` and ``known`` stand for whatever was at hand.

A loop variable is called what it holds (``session``, ``slot_at``), an answer what it says (``lines``, ``refusal``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FORBIDDEN: Final = frozenset({"one", "told", "found", "known"})


def bad_names(path: Path) -> Iterator[str]:
    """A line for each definition in a Python file that has a forbidden name; uses of it are not repeated."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    for line, name in sorted({place for node in ast.walk(tree) for place in _defined(node) if place[1] in FORBIDDEN}):
        yield f"{path}:{line}: {name!r} says nothing. Name what it holds"


def _defined(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The names that a node defines, each with its line."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            yield node.lineno, name.lstrip("_")
        case ast.arg(arg=name):
            yield node.lineno, name.lstrip("_")
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield node.lineno, name.lstrip("_").lower()
        case ast.alias(name=name, asname=asname):
            yield node.lineno, (asname or name).rpartition(".")[2].lstrip("_")
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield node.lineno, name.lstrip("_")
        case _:
            return
