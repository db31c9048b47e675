"""YAML 1.2 to plain values, with the line of each.

Dates and times stay the texts they are written as, keys are texts as written, and whatever YAML allows but a
contract has no use for (tags, merge keys, repeated keys, values that contain themselves) is a mistake.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from pipeline.codec.json_text import Json
from pipeline.model.errors import Mistake

ContractPath = tuple[str | int, ...]
"""Keys and 0-based positions from the whole file, ``()``, down to one value."""

CONTRACT_BYTES_MAX: Final = 2 * 1024 * 1024
"""Of a contract's file."""
VALUES_MAX: Final = 500_000
"""Of a file, where each alias counts again what it repeats."""
DIGITS_MAX: Final = 30
"""A number with more digits is read as a float: no field of a contract has so many."""

_TAG: Final = "tag:yaml.org,2002:"
_UNREADABLE: Final = "is not readable as YAML"
_TRUE: Final = frozenset({"true", "yes", "on", "y"})


@dataclass(frozen=True, slots=True)
class Document:
    """A file's values, the 1-based line of each, and the text of each scalar as it is written.

    ``unreadable`` are the places whose value could not be read; each has its mistake already.
    """

    data: Json
    lines: Mapping[ContractPath, int]
    texts: Mapping[ContractPath, str]
    unreadable: frozenset[ContractPath] = frozenset()

    def line(self, place: ContractPath) -> int:
        """The line of a value, or of the innermost thing around it that is there."""
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]


def path_text(place: ContractPath) -> str:
    """A place as users read it: ``entitlements[0].quantity``, ``contract`` for the whole file."""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        elif len(step) <= 60 and step.isascii() and step.replace("-", "_").replace("_", "a").isalnum():
            text += f".{step}" if text else step
        else:
            text += f"[{shown(step)}]"
    return text or "contract"


def shown(value: Json) -> str:
    """A value in a sentence: short, on one line, without control characters, texts in quotes."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping of keys and values"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    text = single_line(value)
    return f'"{text}"' if len(text) <= 60 else f'"{text[:57]}..."'


def single_line(text: str) -> str:
    """A text from the file on one line, without control characters."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def read_yaml(content: bytes) -> tuple[Document | None, list[Mistake]]:
    """A file's values and its mistakes as YAML. There is no document where the file cannot be parsed."""
    if len(content) > CONTRACT_BYTES_MAX:
        return None, [
            _whole(1, f"has more than {CONTRACT_BYTES_MAX} bytes", "Split it by account; one file is one contract.")
        ]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [_whole(line, "is not UTF-8 text", "Save the file with the encoding UTF-8.")]
    building = _Building()
    try:
        root = cast("Node | None", YAML(typ="safe", pure=True).compose(text))
        if root is None:
            return None, [_whole(1, "is empty", "Write at least account, country and currency.")]
        data = building.value(root, ())
        document = Document(data, building.lines, building.texts, frozenset(building.unreadable))
    except (YAMLError, ValueError) as error:
        return None, [_unreadable(text, error)]
    except RecursionError:
        return None, [_whole(1, "is nested too deeply", "Close the brackets that are open.")]
    return document, building.mistakes


def _unreadable(text: str, error: YAMLError | ValueError) -> Mistake:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        problem = str(error.problem or error.context or "").replace("\n", " ").removeprefix("but ")
        return _whole(mark.line + 1 if mark else 1, f"{_UNREADABLE}: {problem}", _syntax_remedy(problem))
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return _whole(line, f"{_UNREADABLE}: it holds a control character", "Remove it.")
    return _whole(1, f"{_UNREADABLE}: {str(error).partition(chr(10))[0]}", "Correct it and check again.")


def _whole(line: int, reason: str, remedy: str) -> Mistake:
    return Mistake(line, path_text(()), reason, remedy)


def _syntax_remedy(problem: str) -> str:
    if "'\\t'" in problem or "tab" in problem:
        return "Indent with spaces, never with tabs."
    if "another document" in problem:
        return "Keep one contract in a file: remove the line --- and what belongs to the other."
    return "Look for a missing quote, bracket, colon or blank on this line or the one before."


@dataclass(slots=True)
class _Building:
    """Turns YAML's nodes into plain values. A node that an alias repeats counts again, up to a limit."""

    lines: dict[ContractPath, int] = field(default_factory=dict)
    texts: dict[ContractPath, str] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    unreadable: set[ContractPath] = field(default_factory=set)
    _open: set[int] = field(default_factory=set)
    _full: bool = False

    def value(self, node: Node, place: ContractPath, line: int | None = None) -> Json:
        """The plain value of a node; ``None``, with a mistake, where it has none."""
        self.lines[place] = node.start_mark.line + 1 if line is None else line
        if len(self.lines) > VALUES_MAX:
            self._too_many(place)
            return None
        if id(node) in self._open:
            self._no_value(place, "contains itself through an alias", "Write the value out instead of *alias.")
            return None
        if isinstance(node, ScalarNode):
            return self._scalar(node, place)
        self._open.add(id(node))
        try:
            return self._collection(node, place)
        finally:
            self._open.discard(id(node))

    def _too_many(self, place: ContractPath) -> None:
        self.unreadable.add(place)
        if not self._full:
            self._full = True
            self._mistake(place, f"is the value after the first {VALUES_MAX}", "Write less, or fewer aliases.")

    def _collection(self, node: Node, place: ContractPath) -> Json:
        if isinstance(node, SequenceNode) and node.tag == f"{_TAG}seq":
            return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]
        if isinstance(node, MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, place)
        self._tagged(node, place)
        return None

    def _mapping(self, node: MappingNode, place: ContractPath) -> Json:
        values: dict[str, Json] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                self._mistake(place, "has a key that is a list or a mapping", "Write a text before the colon.", line)
            elif key.tag == f"{_TAG}merge":
                self._mistake(place, "has a merge key <<, which YAML 1.2 does not know", "Write the keys out.", line)
            elif key.value in values:
                first = self.lines[*place, key.value]
                self._mistake(
                    (*place, key.value), f"is written twice; the first is in line {first}", "Keep one of the two.", line
                )
            elif _is_halved(key.value):
                self._mistake(place, "has a key that holds half a character", "Write the character itself.", line)
            else:
                values[key.value] = self.value(value, (*place, key.value), line)
        return values

    def _scalar(self, node: ScalarNode, place: ContractPath) -> Json:
        text, tag = cast("str", node.value), str(node.tag).removeprefix(_TAG)
        self.texts[place] = text
        if tag in {"str", "timestamp", "value"}:
            if _is_halved(text):
                self._no_value(place, "holds half a character", "Write the character itself instead of its code.")
            return text
        if tag in {"null", "bool"}:
            return text.lower() in _TRUE if tag == "bool" else None
        try:
            if tag == "int" and len(text) <= DIGITS_MAX:
                return _whole_number(text)
            if tag in {"int", "float"}:
                return float(text.lower().replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError:
            self._no_value(place, f"{shown(text)} is not a number", "Put it in quotes where it is a text.")
        else:
            self._tagged(node, place)
        return None

    def _tagged(self, node: Node, place: ContractPath) -> None:
        self._no_value(place, f"has the tag {shown(node.tag)}, which means nothing here", "Remove the tag.")

    def _no_value(self, place: ContractPath, reason: str, remedy: str) -> None:
        self.unreadable.add(place)
        self._mistake(place, reason, remedy)

    def _mistake(self, place: ContractPath, reason: str, remedy: str, line: int | None = None) -> None:
        self.mistakes.append(Mistake(self.lines[place] if line is None else line, path_text(place), reason, remedy))


def _is_halved(text: str) -> bool:
    """Whether a text holds a surrogate, which no encoding can write."""
    return any("\ud800" <= char <= "\udfff" for char in text)


def _whole_number(text: str) -> int:
    digits = text.replace("_", "")
    return int(digits, {"0o": 8, "0x": 16, "0b": 2}.get(digits.lstrip("+-")[:2].lower(), 10))
