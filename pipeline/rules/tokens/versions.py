"""Versions are compared number by number: ``2020.10`` comes after ``2020.9``; ``2021`` and ``2021.0`` are equal."""

from __future__ import annotations

import re
from typing import Final

_NUMBER: Final = re.compile(r"\d+", re.ASCII)


def version_numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version in order, zeros at the end left out; none for a text without numbers."""
    numbers = [int(number) for number in _NUMBER.findall(version)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def is_at_least(version: str, first: str) -> bool:
    """Whether a version is ``first`` or later."""
    return version_numbers(version) >= version_numbers(first)
