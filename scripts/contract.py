"""Every file of `schemas/` that is generated, and what it must hold."""

import json
from pathlib import Path

import yaml

from scripts import example_day
from scripts.asyncapi import asyncapi
from scripts.json_schemas import EXAMPLES, SCHEMAS, schema_of
from scripts.openapi import openapi
from stream.families.registry import EVENT_TYPES

__all__ = ["contract_files"]


def contract_files() -> dict[Path, bytes]:
    """Return schemas, AsyncAPI and OpenAPI documents and the example day; the single examples are written by hand."""
    files = {SCHEMAS / f"{event_type}.json": _json(schema_of(event_type)) for event_type in EVENT_TYPES}
    files[SCHEMAS / "asyncapi.yaml"] = _yaml(asyncapi())
    files[SCHEMAS / "openapi.yaml"] = _yaml(openapi())
    return files | {EXAMPLES / name: content for name, content in example_day.files().items()}


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _yaml(document: object) -> bytes:
    head = "# Written by `make generate` from the events of each family (stream/families/*/events.py).\n"
    return (head + yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)).encode()


class _Plain(yaml.SafeDumper):
    """Writes no anchors, and texts of several lines as blocks."""

    def ignore_aliases(self, data: object) -> bool:
        """Write everything out: readers should not have to know YAML's anchors."""
        del data
        return True


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Plain.add_representer(str, _block)
