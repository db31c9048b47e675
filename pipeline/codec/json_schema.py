"""Checking values against our JSON Schemas, more exactly than the library does by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, cast

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from pipeline.codec.json_text import Json, parse_json
from pipeline.codec.schema_folder import schema_folder

Schema = dict[str, Json]
"""A parsed JSON Schema."""
Keyword = Callable[[object, str, Json, Schema], Iterator[Exception]]
"""How a keyword of a schema is checked: validator, the keyword's value, the instance, the schema."""


class SchemaFailure(Protocol):
    """What a value does not satisfy, as ``jsonschema`` reports it."""

    message: str
    json_path: str
    validator: str
    validator_value: Json
    instance: Json
    schema: Schema
    absolute_path: Iterable[str | int]
    absolute_schema_path: Sequence[str | int]


class Validator(Protocol):
    """A schema that values are checked against; with ``evolve``, a part of it in the same way."""

    def is_valid(self, instance: Json) -> bool:
        """Whether a value satisfies the schema."""

    def evolve(self, *, schema: Schema) -> Validator:
        """The validator of another schema with the same keywords."""

    def iter_errors(self, instance: Json) -> Iterable[SchemaFailure]:
        """Everything that a value does not satisfy."""


def load_schema(name: str) -> Schema:
    """A schema by its path in the folder ``schemas``."""
    return cast(Schema, parse_json((schema_folder() / name).read_bytes()))


def strict_validator(schema: Schema, keywords: Mapping[str, Keyword] | None = None) -> Validator:
    """A schema's validator, to which ``1.0`` is no integer; ``keywords`` replace how keywords are checked.

    ``$schema`` is left out: named dialects bring a validator of their own for what they refer to.
    """
    integers = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    extended = extend(Draft202012Validator, dict(keywords or {}), type_checker=integers)
    return cast(Validator, extended({name: value for name, value in schema.items() if name != "$schema"}))
