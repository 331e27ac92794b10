"""The tables of settings in `docs/operations.md`, made from `stream/settings.py` and `stream/security`."""

import types
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Union, get_args, get_origin

import msgspec

from scripts.docstrings import attribute_sentences
from scripts.rights import rights_table
from stream import settings
from stream.security import kafka_security
from stream.security.kafka_security import KafkaSecurity
from stream.settings import PREFIX, Settings

__all__ = ["OPERATIONS", "page", "table"]

OPERATIONS = Path(__file__).parents[1] / "docs" / "operations.md"

TABLES: dict[str, tuple[types.ModuleType, type[msgspec.Struct]]] = {
    "settings": (settings, Settings),
    "security": (kafka_security, KafkaSecurity),
}

KINDS = {timedelta: "duration", Path: "path", str: "text", int: "number", float: "number", bool: "true or false"}


def page() -> str:
    """Return the page as it should be: what stands between the marks is replaced."""
    text = OPERATIONS.read_text()
    for name, (module, struct) in TABLES.items():
        text = replaced(text, name, table(module, struct))
    return replaced(text, "rights", rights_table())


def replaced(text: str, name: str, content: str) -> str:
    """Return *text* with *content* between the marks of that name."""
    begin, end = f"<!-- {name}: written by `make generate` -->", f"<!-- end of {name} -->"
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n{content}{end}{after}"


def table(module: types.ModuleType, struct: type[msgspec.Struct]) -> str:
    """Return a row for every setting, in the order of the code."""
    sentences = attribute_sentences(module)[struct.__name__]
    fields = [field for field in msgspec.structs.fields(struct) if field.name != "security"]
    rows = [_row(field, sentences[field.name]) for field in fields]
    return "| variable | kind | default | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _row(field: msgspec.structs.FieldInfo, sentence: str) -> str:
    default = "" if field.default in {None, ""} else f"`{_as_written(field.default)}`"
    meaning = " ".join(sentence.split())
    return f"| `{PREFIX}{field.name.upper()}` | {_kind_of(field.type)} | {default} | {meaning} |\n"


def _as_written(value: object) -> str:
    return msgspec.json.encode(value).decode().strip('"')


def _kind_of(kind: object) -> str:
    if get_origin(kind) is Annotated:
        return _kind_of(get_args(kind)[0])
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    if get_origin(kind) in {Union, types.UnionType}:
        return _kind_of(next(choice for choice in get_args(kind) if choice is not types.NoneType))
    return next((name for known, name in KINDS.items() if kind is known), "text")
