"""What a contract's JSON Schema refuses, in plain words: for every value at fault a reason and a remedy.

The sentences come from the schema itself: ``title`` says what a value is, ``description`` what to write,
``examples`` the first thing to suggest, and ``mistake`` replaces them where a rule needs its own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Final, cast

from jsonschema.exceptions import ValidationError

from pipeline.codec.contract.quoted_values import AMOUNT, example_amount, quoted_value
from pipeline.codec.contract.yaml_document import ContractPath, Document, shown
from pipeline.codec.json_schema import Schema, SchemaFailure, Validator, load_schema, strict_validator
from pipeline.codec.json_text import Json

Finding = tuple[ContractPath, str, str]
"""A place, what is wrong with it, how to correct it."""


_KINDS: Final[Mapping[type, str]] = {
    bool: "a truth value",
    int: "a number",
    float: "a number with decimals",
    str: "a text",
}
_FIRST: Final = ("type", "minLength", "not", "enum", "minimum", "maximum", "maxLength", "pattern")
"""Of several failures of a value, the first in this order is reported."""


def findings(document: Document) -> list[Finding]:
    """What the schema refuses in a contract: a finding for each value, missing key or unknown key at fault."""
    first: dict[ContractPath, Finding] = {}
    failures = sorted(_validator().iter_errors(document.data), key=_urgency)
    for failure in failures:
        for finding in _translate(failure, document):
            first.setdefault(finding[0], finding)
    return list(first.values())


def nearest(word: str, choices: Iterable[str]) -> str:
    """``Did you mean "quantity"? `` (with the blank), or nothing where no choice is near."""
    matches = get_close_matches(word, list(choices), n=1)
    return f"Did you mean {shown(matches[0])}? " if matches else ""


@cache
def _schema() -> Schema:
    return load_schema("contract.v1.schema.json")


@cache
def _validator() -> Validator:
    return strict_validator(_schema(), {"pattern": _pattern})


def _pattern(_validator: object, pattern: str, instance: Json, _schema: Schema) -> Iterator[Exception]:
    """Patterns as ECMA-262 reads them: ``$`` is the end of the text, never a place before a last line break."""
    exact = f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern
    if isinstance(instance, str) and re.search(exact, instance) is None:
        yield ValidationError("does not match")


def _urgency(failure: SchemaFailure) -> int:
    return _FIRST.index(failure.validator) if failure.validator in _FIRST else len(_FIRST)


def _translate(failure: SchemaFailure, document: Document) -> Iterator[Finding]:
    place = tuple(failure.absolute_path)
    if "propertyNames" in failure.absolute_schema_path:
        place = (*place, str(failure.instance))
    own = failure.schema.get("mistake")
    if isinstance(own, dict):
        yield place, str(own["reason"]), str(own["remedy"])
    elif failure.validator == "required" and isinstance(failure.instance, dict):
        for key in cast("list[str]", failure.validator_value):
            if key not in failure.instance:
                yield (*place, key), "is missing", f"Add {key}: {_description(failure.schema, key)}."
    elif failure.validator == "additionalProperties" and isinstance(failure.instance, dict):
        allowed = list(cast("Schema", failure.schema["properties"]))
        for key in failure.instance:
            if key not in allowed:
                remedy = f"{nearest(key, allowed)}The keys here are {', '.join(allowed)}."
                yield (*place, key), "is not a key that is known here", remedy
    else:
        yield place, _reason(failure, document, place), _remedy(failure, document, place)


def _description(schema: Schema, key: str) -> str:
    stated = _resolved(cast("Schema", cast("Schema", schema["properties"])[key]))
    return str(stated["description"])


def _resolved(schema: Schema) -> Schema:
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    definitions = cast("Schema", _schema()["$defs"])
    return cast("Schema", definitions[reference.removeprefix("#/$defs/")]) | schema


def _written(document: Document, place: ContractPath, value: Json) -> str:
    """A value as its author wrote it."""
    if isinstance(value, int | float) and place in document.texts:
        text = document.texts[place]
        return text if len(text) <= 60 else f"{text[:57]}..."
    return shown(value)


def _reason(failure: SchemaFailure, document: Document, place: ContractPath) -> str:
    value, limit = failure.instance, failure.validator_value
    written, title = _written(document, place, value), failure.schema["title"]
    size = len(value) if isinstance(value, str | list | dict) else 0
    match failure.validator:
        case "type":
            return _wrong_kind(value, written, title)
        case "minimum" | "maximum":
            return f"{written} is {'less' if failure.validator == 'minimum' else 'more'} than {limit}"
        case "minLength" | "minItems":
            return f"is an empty {'list' if isinstance(value, list) else 'text'}"
        case "maxLength" | "maxItems" | "maxProperties":
            return f"has {size} {'characters' if isinstance(value, str) else 'entries'}, more than {limit}"
        case "uniqueItems":
            return "names something twice"
        case _:
            return f"{written} is not {title}"


def _wrong_kind(value: Json, written: str, title: Json) -> str:
    if value is None:
        return f"has no value; {title} is expected"
    kind = _KINDS.get(type(value))
    return f"{written} is {kind}, not {title}" if kind else f"is {written}, not {title}"


def _remedy(failure: SchemaFailure, document: Document, place: ContractPath) -> str:
    value, schema = failure.instance, failure.schema
    match failure.validator:
        case "uniqueItems":
            return "Name each once."
        case "maxItems" | "maxProperties":
            return "Remove what is no longer needed."
        case "enum":
            choices = [str(choice) for choice in cast("list[Json]", schema["enum"])]
            return f"{nearest(str(value), choices)}Write {schema['description']}."
    if failure.validator == "type" and "string" in _types(schema) and isinstance(value, bool | int | float):
        quoted = quoted_value(_written(document, place, value), value, schema, _validator(), document.data)
        if quoted is not None:
            return f'Put it in quotes: "{quoted}".'
    if value is None:
        return f"Write {_example(schema, document)}, or remove the key."
    return f"Write {_example(schema, document)}."


def _types(schema: Schema) -> list[Json]:
    types = schema.get("type")
    return types if isinstance(types, list) else [types]


def _example(schema: Schema, document: Document) -> str:
    examples = schema.get("examples")
    if not isinstance(examples, list):
        return str(schema["description"])
    first = examples[0]
    if schema["title"] == AMOUNT:
        first = example_amount(str(first), document.data)
    quoted = schema["title"] in {AMOUNT, "a version"}
    return f"{schema['description']}, such as {shown(first) if quoted else first}"
