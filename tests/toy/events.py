"""The one event of the toy family."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar

from msgspec import Struct

from stream.core.cloudevents import Event, KeyParts, Name


class ThrownData(Struct, frozen=True, kw_only=True, gc=False):
    """A ring was thrown at a stand."""

    queue: Name
    """The stand."""
    hit: bool


class ToyThrown(Event, frozen=True, kw_only=True, tag="toy.thrown"):
    """A ring was thrown."""

    topic: ClassVar[str] = "toys"
    key_parts: ClassVar[Callable[[Any], KeyParts]] = attrgetter("tenantid", "data.queue")

    data: ThrownData
