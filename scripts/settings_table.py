"""The table of settings in `docs/operations.md`, made from `stream/settings.py`."""

import types
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Union, get_args, get_origin

import msgspec

from scripts.docstrings import attribute_sentences
from stream import settings
from stream.settings import PREFIX, Settings

__all__ = ["OPERATIONS", "page", "table"]

OPERATIONS = Path(__file__).parents[1] / "docs" / "operations.md"

BEGIN = "<!-- settings: written by `make generate` -->"
END = "<!-- end of settings -->"

KINDS = {timedelta: "duration", Path: "path", str: "text", int: "number", float: "number", bool: "true or false"}


def page() -> str:
    """Return the page as it should be: what stands between the marks is replaced."""
    text = OPERATIONS.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table()}{END}{after}"


def table() -> str:
    """Return a row for every setting, in the order of the code."""
    sentences = attribute_sentences(settings)[Settings.__name__]
    rows = [_row(field, sentences[field.name]) for field in msgspec.structs.fields(Settings)]
    return "| variable | kind | default | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _row(field: msgspec.structs.FieldInfo, sentence: str) -> str:
    default = "" if field.default is None else f"`{_as_written(field.default)}`"
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
