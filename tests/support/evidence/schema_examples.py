"""The JSON Schemas of ``schemas/`` as validators, and their examples."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

import orjson
from jsonschema import Draft202012Validator, validators
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from pipeline.codec.schema_folder import schema_folder

EVENTS: Final = schema_folder() / "events"
EXAMPLES: Final = schema_folder() / "examples"
DISPUTE: Final = schema_folder() / "dispute.v1.schema.json"
DISPUTES: Final = schema_folder() / "disputes.v1.schema.json"
LINE_EXPLANATION: Final = schema_folder() / "line-explanation.v1.schema.json"
SCHEMAS: Final = (
    *sorted(EVENTS.glob("*.schema.json")),
    DISPUTE,
    DISPUTES,
    LINE_EXPLANATION,
    schema_folder() / "statement.v1.schema.json",
)


class Validator(Protocol):
    """The method of a validator that tests use."""

    def is_valid(self, instance: object) -> bool: ...


def _is_written_as_integer(_: object, instance: object) -> bool:
    """1.0 is an integer to JSON Schema, but not to Seatbeat."""
    return type(instance) is int


def _content(path: Path) -> dict[str, object]:
    """A schema without ``$schema``, which would make the validator accept 1.0 as an integer again."""
    content: dict[str, object] = orjson.loads(path.read_bytes())
    return {name: value for name, value in content.items() if name != "$schema"}


def validator(path: Path) -> Validator:
    """A validator of a schema, which can resolve references to the others."""
    resources = [DRAFT202012.create_resource(_content(schema)) for schema in SCHEMAS]
    strict = validators.extend(
        Draft202012Validator,
        type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_written_as_integer),
    )
    registry = Registry().with_resources([(resource.id() or "", resource) for resource in resources])
    built: Validator = strict(_content(path), registry=registry)
    return built


def event_validator(name: str) -> Validator:
    """The validator of ``schemas/events/<name>.v1.schema.json``."""
    return validator(EVENTS / f"{name}.v1.schema.json")


def examples(event: str, kind: str) -> list[Path]:
    """The files of ``schemas/examples/<event>/<kind>``, sorted by name."""
    return sorted((EXAMPLES / event / kind).iterdir())
