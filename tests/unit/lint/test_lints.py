"""The project's own lints find what they are for, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.commit_subject import subject_mistake
from tests.lint.names import bad_names
from tests.lint.tree import bad_tree


@pytest.mark.parametrize(
    "source",
    [
        "one = 1",
        "for found in []: pass",
        "def f(told): pass",
        "def known(): pass",
        "class Known: pass",
        "x = [one for one in ()]",
        "self.known = 1",
        "import a as found",
        "from a import known",
        "match x:\n    case [one]: pass",
        "_known: int = 3",
        "with x as told: pass",
    ],
)
def test_a_name_that_says_nothing_is_a_mistake(tmp_path: Path, source: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)
    assert len(list(bad_names(path))) == 1


def test_names_within_words_texts_and_foreign_attributes_are_no_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("done = 'one told'\nphone = outcome.known\nprint(found)\n")
    assert list(bad_names(path)) == []


def test_the_tree_has_no_name_with_two_meanings(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text('"""A package."""\n')
        (tmp_path / folder / "pools.py").write_text("class _Pool: ...\n")
    (tmp_path / "b" / "__init__.py").write_text("")
    mistakes = "\n".join(bad_tree(tmp_path))
    assert "module name 'pools' stands for 2 things" in mistakes
    assert "class name 'Pool' stands for 2 things" in mistakes
    assert "does not say what its files are" in mistakes
    assert len(mistakes.splitlines()) == 3


def test_a_shelf_of_files_and_a_shared_prefix_are_to_be_cut(tmp_path: Path) -> None:
    for number in range(21):
        (tmp_path / f"{'contract_' if number < 4 else ''}{chr(97 + number)}.py").write_text("")
    mistakes = list(bad_tree(tmp_path))
    assert [mistake.partition(": ")[2] for mistake in mistakes] == [
        "21 modules in one folder; cut it by subject",
        "4 modules begin with 'contract'; make it a folder",
    ]


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ("transport: bound what waits for an agent by bytes\n\nWhy.", ""),
        ("rules/pool: state min use once", ""),
        ("Merge branch 'x'", ""),
        ("What is counted is an estimate", "area: imperative"),
        ("transport: " + "x" * 70, "81 characters"),
        ("transport: bound what waits.", "full stop"),
        ("", "area: imperative"),
    ],
)
def test_a_commit_subject_names_its_area_and_is_short(message: str, part: str) -> None:
    mistake = subject_mistake(message)
    assert part in mistake if part else mistake == ""
