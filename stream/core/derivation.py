"""What follows from one family's events for other families, held to the contract like the events of any producer."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from stream.core.cloudevents import Event, EventDecoder, encode
from stream.core.family import Derive, Family, OfCustomer
from stream.core.policies import Policies
from stream.errors import InvalidEvent

__all__ = ["Derivation", "envelope_after"]

_LONGEST_ID: Final = 200
"""Of the id of an event so much stands in that of what follows: with what is added, it stays within the contract."""


class Derivation:
    """Asks the families what follows by the policies; a worker and a replay get the same answers."""

    def __init__(self, families: Sequence[Family[Any]], policies: Policies) -> None:
        self._derive: dict[type[Event], Derive] = {}
        for family in families:
            if family.derive is not None:
                self._derive |= family.derive(policies)
        self._of_customer = frozenset(kind for kind, derive in self._derive.items() if type(derive) is OfCustomer)
        self._of_any = self._derive.keys() - self._of_customer
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

    def of_slice(self, events: Sequence[Event]) -> Iterator[tuple[Event, Sequence[tuple[Event, bytes]] | Exception]]:
        """Yield the events of many from which anything follows, each with what `of` tells; or why nothing can."""
        for event in self._leading_on(events):
            try:
                if follow := self._derive[type(event)](event):
                    yield event, [self._checked(event, encode(one)) for one in follow]
            except Exception as failure:  # noqa: BLE001  # a defect of one family must not stop the stream
                yield event, failure

    def _leading_on(self, events: Sequence[Event]) -> list[Event]:
        """Return the events that are asked what follows from them."""
        # Nearly all are not, and all are looked at: a call for each would cost as much as a hundredth of folding it.
        of_customer, of_any = self._of_customer, self._of_any
        if not of_any:
            return [event for event in events if type(event) in of_customer and event.data.customer is not None]
        return [
            event
            for event in events
            if (type(event) in of_customer and event.data.customer is not None) or type(event) in of_any
        ]

    def _checked(self, event: Event, value: bytes) -> tuple[Event, bytes]:
        read = self._decoder.decode(value)
        if read.time > event.time:  # a replay up to an instant would have what happened after it
            raise InvalidEvent("future", "a derived event is later than the event that it follows from", field="time")
        return read, value


def envelope_after(told: Event, what: str, subject: str) -> dict[str, Any]:
    """Return the attributes of an event that follows from another: it happens at its instant, and is named after it."""
    return {
        "id": f"{told.id[-_LONGEST_ID:]}/{what}",
        "source": told.source,
        "time": told.time,
        "subject": subject,
        "tenantid": told.tenantid,
        "specversion": "1.0",
    }
