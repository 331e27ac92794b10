"""Events as they go on the wire, checked as a reader would check them."""

from functools import cache
from typing import NamedTuple

import msgspec

from stream.core.cloudevents import Event, EventDecoder, encode
from stream.errors import InvalidEvent

__all__ = ["EncodedEvent", "checked"]


class EncodedEvent(NamedTuple):
    """An event as it goes on the wire, which somebody has checked already."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def checked(event: Event) -> bytes:
    """Return the event as it goes on the wire; raises InvalidEvent if a reader would refuse it."""
    try:
        value = encode(event)
    except (msgspec.MsgspecError, TypeError, ValueError) as failure:
        # Their messages quote types, not values; the value at fault may be personal data.
        raise InvalidEvent("invalid_field", f"the event cannot be written as JSON ({type(failure).__name__})") from None
    # Read as a reader would read it: msgspec checks types and limits when it decodes, not when a struct is
    # made.
    _decoder_of(type(event)).decode(value)
    return value


@cache
def _decoder_of(kind: type[Event]) -> EventDecoder:
    return EventDecoder([kind])
