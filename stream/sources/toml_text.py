"""Writes tables of TOML: so much of it as files about systems and webhooks need."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

__all__ = ["toml_table", "toml_table_of"]

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


def toml_table(path: Sequence[str], values: Mapping[str, object]) -> str:
    """Return the table at *path*, a line for each value; at the top of the file where *path* is empty."""
    head = f"[{'.'.join(map(_key, path))}]\n" if path else ""
    return head + "".join(f"{_key(name)} = {_value(value)}\n" for name, value in values.items())


def toml_table_of(path: Sequence[str], answers: Struct) -> str:
    """Return the table at *path* with the fields of a struct; what is as by default is left out."""
    return toml_table(path, _told(answers))


def _told(answers: Struct) -> dict[str, Any]:
    found = {field.name: (getattr(answers, field.name), field) for field in msgspec.structs.fields(answers)}
    return {name: _plain(value) for name, (value, field) in found.items() if value not in _defaults_of(field)}


def _plain(value: object) -> object:
    match value:
        case Struct():
            return _told(value)
        case Mapping():
            return {name: _plain(each) for name, each in value.items()}
    return value


def _defaults_of(field: msgspec.structs.FieldInfo) -> list[object]:
    made = field.default_factory
    return [field.default, None if made is msgspec.NODEFAULT else made()]


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _text(name)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case date():
            return value.isoformat()
        case str() | Path():
            return _text(str(value))
        case Mapping():
            return f"{{ {', '.join(f'{_key(name)} = {_value(one)}' for name, one in value.items())} }}"
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
    raise TypeError(f"{type(value).__name__} is nothing that TOML has")


def _text(text: str) -> str:
    # A string of JSON is one of TOML, but for the one control character that JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
