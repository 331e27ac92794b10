"""JSON Schema 2020-12 of every event, made from the `events.py` of each family.

One self-contained file per event type, for the whole CloudEvent. Objects are open: unknown fields are ignored.
"""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from scripts.docstrings import attribute_sentences
from stream.core.cloudevents import Event
from stream.families.registry import EVENT_TYPES

__all__ = ["EXAMPLES", "SCHEMAS", "VERSION", "Schema", "example_of", "schema_id", "schema_of"]

SCHEMAS = Path(__file__).parents[1] / "schemas"
EXAMPLES = SCHEMAS / "examples"

VERSION = 1
"""Raised only by a change that an existing producer or consumer would notice; new optional fields are none."""

TIME_PATTERN = r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$"
"""RFC 3339 with an offset. Most validators do not assert `format`; all assert `pattern`."""

Schema = dict[str, Any]
"""A JSON Schema, or a part of one."""


def schema_id(event_type: str) -> str:
    """Return what producers write in `dataschema`."""
    return f"urn:contact-stream:event:{event_type}:{VERSION}"


def example_of(event_type: str) -> Schema:
    """Return the checked-in example of an event: a structured CloudEvent."""
    example: Schema = json.loads((EXAMPLES / f"{event_type}.json").read_text())
    return example


def schema_of(event_type: str) -> Schema:
    """Return the schema of the whole CloudEvent of that type."""
    cls = EVENT_TYPES[event_type]
    _, parts = msgspec.json.schema_components([cls], ref_template="{name}")
    schema = _described(parts[cls.__name__], cls)
    data = _data_class(cls)
    # `data` stands in place: these files are read by people and by tools that follow no references.
    schema["properties"]["data"] = _in_place(_described(parts[data.__name__], data), parts, data)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_id(event_type),
        **schema,
        "examples": [example_of(event_type)],
    }


def _in_place(part: Any, parts: dict[str, Any], within: type[msgspec.Struct]) -> Any:  # noqa: ANN401  # JSON
    """Put what is referred to where it is referred to: a struct of the module of the one it is within."""
    match part:
        case {"$ref": str(name)}:
            return _described(parts[name], getattr(import_module(within.__module__), name))
        case dict():
            return {name: _in_place(value, parts, within) for name, value in part.items()}
        case list():
            return [_in_place(one, parts, within) for one in part]
    return part


def _data_class(event: type[Event]) -> type[msgspec.Struct]:
    data: type[msgspec.Struct] = next(field.type for field in msgspec.structs.fields(event) if field.name == "data")
    return data


def _described(schema: Schema, cls: type[msgspec.Struct]) -> Schema:
    properties = {name: _sharpened(part) for name, part in schema["properties"].items()}
    for name, sentence in _sentences_of(cls).items():
        properties[name] = {"description": sentence, **properties[name]}
    # What one field demands of another: JSON Schema can say it, and types cannot.
    return {**schema, "properties": properties, **getattr(cls, "between_fields", {})}


def _sharpened(part: Schema) -> Schema:
    """Say in JSON Schema what msgspec means: one allowed value is a constant, an aware datetime has an offset."""
    part = {
        name: [_sharpened(choice) for choice in value] if name == "anyOf" else value for name, value in part.items()
    }
    match part:
        case {"enum": [only]}:
            return {"const": only}
        case {"format": "date-time"}:
            return {**part, "pattern": TIME_PATTERN}
    return part


def _sentences_of(cls: type[msgspec.Struct]) -> dict[str, str]:
    """Return the docstring below each field, inherited ones too."""
    sentences: dict[str, str] = {}
    for ancestor in reversed(cls.__mro__):
        if ancestor.__module__.startswith("stream."):
            sentences |= attribute_sentences(import_module(ancestor.__module__)).get(ancestor.__name__, {})
    return {name: sentence for name, sentence in sentences.items() if name in cls.__struct_fields__}
