"""What follows from one family's events for other families, held to the contract like the events of any producer."""

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any

from stream.core.cloudevents import Event, EventDecoder, encode
from stream.core.family import Derive, Family
from stream.core.policies import Policies
from stream.errors import InvalidEvent

__all__ = ["Derivation"]


class Derivation:
    """Asks the families what follows by the policies; a worker and a replay get the same answers."""

    def __init__(self, families: Sequence[Family[Any]], policies: Policies) -> None:
        self._derive: dict[type[Event], Derive] = {}
        for family in families:
            if family.derive is not None:
                self._derive |= family.derive(policies)
        # Read again as a worker will read it: what it would refuse must not be in a replay either.
        self._decoder = EventDecoder([kind for family in families for kind in family.events])

    def follows(self, family: Family[Any]) -> bool:
        """Tell whether anything can follow from events of a family."""
        return not self._derive.keys().isdisjoint(family.events)

    def of(self, event: Event) -> Sequence[tuple[Event, bytes]]:
        """
        Return the events that follow, and the bytes of each.

        Raises InvalidEvent where one is against the contract, or later than the event that it follows from, and
        whatever the family raises.
        """
        derive = self._derive.get(type(event))
        if derive is None:
            return ()
        return [self._checked(event, encode(one)) for one in derive(event)]

    def of_slice(self, events: Sequence[Event]) -> Iterator[tuple[int, Sequence[tuple[Event, bytes]] | Exception]]:
        """
        Yield what follows from many events as `of` tells of each, by its place; or, instead, why nothing can.

        Those from which nothing follows are left out: they are nearly all, and pay for a look at their type alone,
        or for that and one call.
        """
        derive = self._derive
        for place in compress(range(len(events)), map(derive.__contains__, map(type, events))):
            event = events[place]
            try:
                if follow := derive[type(event)](event):
                    yield place, [self._checked(event, encode(one)) for one in follow]
            except Exception as failure:  # noqa: BLE001  # a defect of one family must not stop the stream
                yield place, failure

    def _checked(self, event: Event, value: bytes) -> tuple[Event, bytes]:
        read = self._decoder.decode(value)
        if read.time > event.time:  # a replay up to an instant would have what happened after it
            raise InvalidEvent("future", "a derived event is later than the event that it follows from", field="time")
        return read, value
