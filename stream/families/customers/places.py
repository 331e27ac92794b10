"""Where customers come, and by which policy that is judged; rows with the same places share them."""

from collections.abc import Sequence
from typing import Final

from stream.core.policies import Policies
from stream.core.sharing import shared
from stream.families.customers.history import CustomerPlace
from stream.families.customers.matters import NextDay
from stream.families.customers.parts import CustomerParts, MemberParts, PartSet
from stream.families.customers.rules import RULES

__all__ = ["CustomerPlaces", "ToldPlace"]

_MOST: Final = 256
"""Places of one customer; of more the last stands for all."""

_REMEMBERED: Final = 100_000
"""Of each kind; beyond that all of it is forgotten, and found again."""

_MILLISECOND: Final = 0.001

ToldPlace = tuple[str, str, str | None]
"""Queue, channel and topic, as an event tells them; the channel is empty where nobody told."""

_Counting = tuple[Sequence[PartSet], Sequence[NextDay]]

_Places = tuple[CustomerPlace, ...]

_Touched = tuple[_Places, int, _Counting]
"""The places of a customer, the number of the one that is touched, and what counts for them."""


class CustomerPlaces:
    """The places of all customers of one partition."""

    def __init__(self, policies: Policies, parts: CustomerParts) -> None:
        self._policies = policies
        self._parts = parts
        self._found: dict[tuple[str, ToldPlace], CustomerPlace] = {}
        # By the identity of places, which costs less than comparing them. So each keeps the places that it is of: as
        # long as it is remembered, no others can have their identity.
        self._counting: dict[tuple[int, MemberParts], tuple[_Places, _Counting]] = {}
        self._touched: dict[tuple[ToldPlace, int, MemberParts], tuple[_Places, _Touched]] = {}

    def touched(self, where: ToldPlace, places: _Places, members: MemberParts) -> _Touched:
        """Return the places of a customer who is somewhere now, the number of that place, and what counts for them."""
        key = (where, id(places), members)
        found = self._touched.get(key)  # one look-up for nearly every event
        if found is None:
            if len(self._touched) >= _REMEMBERED:
                self._touched.clear()
            now, number = self.with_place(places, self.find(members.membership[0], where))
            found = self._touched[key] = (places, (now, number, self.counting(now, members)))
        return found[1]

    def find(self, tenant: str, where: ToldPlace) -> CustomerPlace:
        """Return the place of a queue and channel, for what is about a topic."""
        found = self._found.get((tenant, where))
        if found is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            found = self._found[tenant, where] = self._new(tenant, *where)
        return found

    def _new(self, tenant: str, queue: str, channel: str, topic: str | None) -> CustomerPlace:
        policy = self._policies.of(RULES, tenant, queue, channel)
        by_topic = policy.matter_by_topic and topic is not None
        return CustomerPlace(
            queue=self._parts.admit_queue(tenant, queue) if queue else queue,
            channel=channel,
            matter=f"topic {topic}" if by_topic else policy.matter or queue,
            look_back_ms=round(policy.repeat_within.total_seconds() / _MILLISECOND),
            most_asked=policy.most_invitations,
            asked_within_ms=round(policy.asked_within.total_seconds() / _MILLISECOND),
            tells_topic=by_topic,
        )

    def with_place(self, places: _Places, place: CustomerPlace) -> tuple[_Places, int]:
        """Return the places of a customer with one more, and its number."""
        for number, known in enumerate(places):
            if known is place:
                return places, number
        if place in places:
            return places, places.index(place)
        if len(places) == _MOST:
            return places, _MOST - 1
        return shared((*places, place)), len(places)

    def counting(self, places: _Places, members: MemberParts) -> _Counting:
        """Return what counts for *places*, in their order, and at last *members*; and the local days of each."""
        key = (id(places), members)
        found = self._counting.get(key)
        if found is None:
            if len(self._counting) >= _REMEMBERED:
                self._counting.clear()
            # Where nobody told a place, nothing counts for it.
            tenant = members.membership[0]
            of_place = [self._parts.of_place(tenant, place) if place.queue else members for place in places]
            sets = [*of_place, members]
            found = self._counting[key] = (places, (sets, [one.days.next_day for one in sets]))
        return found[1]

    def clear(self) -> None:
        """Know no parts any more: they were made anew, or some of them are gone."""
        self._counting.clear()
        self._touched.clear()
