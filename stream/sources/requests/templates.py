"""Requests whose body somebody has pasted: a template, whose variables the desk puts in, or fails to."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from stream.sources.instants import instant_in
from stream.sources.requests.parts import UnusablePart

__all__ = ["check_resolved", "local_instant"]

_VARIABLE: Final = re.compile(r"\{\{.*?\}\}|\{\$.*?\}", re.DOTALL)
"""As Liquid and Smarty write them."""

_OFFSET: Final = re.compile(r" (?=[+-]\d\d:?\d\d$)")


def check_resolved(content: Mapping[str, Any]) -> None:
    """Raise UnusablePart, which names the field, where a variable came as it was pasted."""
    for path, text in _texts(content, "$"):
        if _VARIABLE.search(text):
            raise UnusablePart("unresolved_variable", f"a variable that the desk did not put in - at `{path}`")


def local_instant(text: str, zone: ZoneInfo, path: str) -> datetime:
    """Return the time that a text tells, with an offset or in the *zone*; raises UnusablePart that names the field."""
    plain = _OFFSET.sub("", text.strip().removesuffix(" UTC") + ("+00:00" if text.strip().endswith(" UTC") else ""))
    try:
        told = datetime.fromisoformat(plain)
    except ValueError:
        raise UnusablePart("invalid_field", f"no time, as 2026-03-02 09:00:00 is - at `{path}`") from None
    if told.tzinfo is None:
        told = told.replace(tzinfo=zone).astimezone(UTC)
    found = instant_in(told.isoformat())
    if found is None:
        raise UnusablePart("invalid_field", f"a clock that was never set - at `{path}`")
    return found


def _texts(part: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(part, str):
        yield path, part
    elif isinstance(part, dict):
        for name, inner in part.items():
            yield from _texts(inner, f"{path}.{name}")
    elif isinstance(part, list):
        for inner in part:
            yield from _texts(inner, f"{path}[...]")
