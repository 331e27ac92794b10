"""What a mapping must know of an event's kind: the fields of its data, and how the value of each is read."""

import re
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Struct

from stream.core.cloudevents import Event
from stream.families.registry import EVENT_TYPES
from stream.sources.mapped.terms import Unusable, ValueKind

__all__ = ["DataField", "choices_of", "data_fields", "data_type", "event_kinds"]

event_kinds: Final = EVENT_TYPES
"""Every kind of event that a mapping can tell of, by its type."""


class DataField(Struct, frozen=True):
    """A field of an event's data, or of its envelope."""

    name: str
    type: Any
    required: bool

    @property
    def value_kind(self) -> ValueKind:
        """How its values are told: some are times, some lengths."""
        if datetime in _plain(self.type):
            return "instant"
        return "length" if self.name.endswith("_ms") else "plain"

    def converted(self, value: object) -> object:
        """Return a value as the field holds it; raises Unusable, which quotes nothing."""
        kinds = _plain(self.type)
        if str in kinds and isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)  # a system that numbers its queues names them all the same
        elif isinstance(value, float) and value.is_integer():
            value = int(value)
        try:
            # Tables have nothing but text, so text that is a number is one.
            return msgspec.convert(value, self.type, strict=False)
        except (msgspec.ValidationError, RecursionError) as failure:
            raise Unusable(_wanted(self.type, str(failure))) from None


def data_fields(kind: type[Event]) -> dict[str, DataField]:
    """Return the fields of the data of a kind of event, by name."""
    return {
        field.name: DataField(
            field.name, field.type, required=field.default is NODEFAULT and field.default_factory is NODEFAULT
        )
        for field in msgspec.structs.fields(data_type(kind))
    }


@cache
def data_type(kind: type[Event]) -> type[Struct]:
    """Return the struct that the data of a kind of event is."""
    (data,) = (field.type for field in msgspec.structs.fields(kind) if field.name == "data")
    assert isinstance(data, type)
    return data


@cache
def _plain(hint: Any) -> frozenset[Any]:  # noqa: ANN401  # an annotation may be anything
    """Return the types behind `Annotated` and `| None`."""
    if hasattr(hint, "__metadata__"):
        return _plain(hint.__origin__)
    parts = get_args(hint)
    if parts and get_origin(hint) not in {Literal, tuple}:
        return frozenset().union(*map(_plain, parts))
    return frozenset({get_origin(hint) or hint})


def _wanted(hint: Any, problem: str) -> str:  # noqa: ANN401  # ditto
    """Say what a field wants; msgspec names types and limits, but quotes what is not one of the values."""
    values = choices_of(hint)
    if values:
        return f"it must be one of {', '.join(values)}"
    wanted = re.sub(r" - at `.*`$", "", problem)
    return "it must be of another type" if wanted.startswith("Invalid") else wanted[:1].lower() + wanted[1:]


def choices_of(hint: Any) -> tuple[str, ...]:  # noqa: ANN401  # ditto
    """Return the values that an annotation allows; none where it does not list them."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return next(filter(None, map(choices_of, get_args(hint))), ())
