"""
What the touchpoints of a customer count for: contacts that come again, those that need not, and what a solution took.

All of it follows from the set of touchpoints. Each contact is about one matter, that of the place where it began; contacts of
one matter that follow each other within the look-back are a *run*.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from stream.families.customers.counts import CHANNELS, EFFORT_BOUNDS_SECONDS, EFFORT_CONTACTS_BOUNDS
from stream.families.customers.history import DAY_MS, AccountEntry, AccountKind, Place, Touch, Touchpoint

__all__ = ["JOURNEY_MS", "LONGEST_EFFORT_MS", "OF_MEMBERS", "Contact", "Fact", "NextDay", "asked_facts", "contacts_in", "journey_facts", "matter_facts"]

OF_MEMBERS: Final = -1
"""In place of the number of a place: it counts for the plan and group of the customer."""

Field = str | tuple[str, int]
"""A field of `CustomerCounts`; of a list, with the place in it."""

Fact = tuple[int, int, Field, int]
"""The number of a place or `OF_MEMBERS`, the ms since 1970 at which it counts, what, and how much."""

NextDay = Callable[[int], int]
"""Returns, of an instant in ms since 1970, the first instant of the local day after it."""

LONGEST_EFFORT_MS: Final = 60 * DAY_MS
"""What was so much earlier than a solution has nothing to do with it."""

JOURNEY_MS: Final = 30 * DAY_MS
"""So long before and after a purchase contacts are looked at."""

_CAME_BY: Final = {channel: ("came_by", number) for number, channel in enumerate(CHANNELS)}
_BEFORE_BY: Final = {channel: ("before_by", number) for number, channel in enumerate(CHANNELS)}
_AFTER_BY: Final = {channel: ("after_by", number) for number, channel in enumerate(CHANNELS)}


class Contact(Struct, gc=False):
    """One contact of a customer, as its touchpoints tell."""

    at_ms: int
    """When it came."""
    place: int
    """Where it came first."""
    served_ms: int = -1
    """When somebody had answered, or solved it; -1: nobody by now."""
    messages: tuple[int, ...] = ()
    """When further messages came."""
    handed_over: tuple[int, ...] = ()
    solved: tuple[int, ...] = ()


def contacts_in(touchpoints: Iterable[Touchpoint], places: Sequence[Place]) -> dict[int, Contact]:
    """Return the contacts by their reference, in the order in which they came."""
    contacts: dict[int, Contact] = {}
    is_with: dict[int, str] = {}
    for when, reference in touchpoints:
        at_ms, kind, place = when >> 16, when >> 8 & 0xFF, when & 0xFF
        if kind == Touch.ASKED:
            continue
        contact = contacts.get(reference)
        if contact is None:
            contact = contacts[reference] = Contact(at_ms, place)
        elif kind == Touch.MESSAGE:
            contact.messages += (at_ms,)
        if kind == Touch.SERVED:
            if contact.served_ms < 0:
                contact.served_ms = at_ms
        elif kind == Touch.SOLVED:
            contact.solved += (at_ms,)
            if contact.served_ms < 0:
                contact.served_ms = at_ms
        elif kind == Touch.HANDED_OVER or kind == Touch.IS_WITH:
            queue = places[place].queue
            before = is_with.get(reference, places[contact.place].queue)
            if kind == Touch.HANDED_OVER or queue != before:
                contact.handed_over += (at_ms,)
            is_with[reference] = queue
    return contacts


def matter_facts(contacts: Sequence[Contact], places: Sequence[Place], days: Sequence[NextDay]) -> Iterator[Fact]:
    """Yield what the contacts of one matter count for; they are given in the order in which they came."""
    start = 0
    for number, contact in enumerate(contacts):
        following = contacts[number + 1] if number + 1 < len(contacts) else None
        follows = following is not None and following.at_ms - contact.at_ms <= places[following.place].look_back_ms
        yield from _contact_facts(contact, places[contact.place], days[contact.place], first=number == start, followed=follows)
        if not follows:
            if any(one.solved for one in contacts[start : number + 1]):
                yield from _effort_facts(contacts[start : number + 1])
            start = number + 1


def _contact_facts(contact: Contact, place: Place, next_day: NextDay, *, first: bool, followed: bool) -> Iterator[Fact]:
    at_ms, number = contact.at_ms, contact.place
    yield number, at_ms, "contacts", 1
    yield OF_MEMBERS, at_ms, _CAME_BY[place.channel], 1
    if not first:
        yield number, at_ms, "repeats", 1
    elif contact.served_ms >= 0:
        # A case that is solved late is decided when it is.
        decided = next_day(max(at_ms + place.look_back_ms, contact.served_ms))
        yield number, at_ms, "first_served", 1
        yield number, decided, "first_decided", 1
        if not followed:
            yield number, at_ms, "first_not_repeated", 1
            yield number, decided, "first_resolved", 1


def _effort_facts(run: Sequence[Contact]) -> Iterator[Fact]:
    """Yield what the solutions in a run took; of two that belong together only the last counts."""
    solutions = sorted((at_ms, contact.place) for contact in run for at_ms in contact.solved)
    for number, (at_ms, place) in enumerate(solutions):
        if number + 1 < len(solutions) and solutions[number + 1][0] - at_ms <= LONGEST_EFFORT_MS:
            continue
        first = at_ms - LONGEST_EFFORT_MS
        came = [one.at_ms for one in run if first <= one.at_ms <= at_ms]
        took_ms = at_ms - (came[0] if came else at_ms)
        contacts = len(came) + sum(first <= one <= at_ms for contact in run for one in contact.messages)
        yield place, at_ms, "efforts", 1
        yield place, at_ms, "effort_ms", took_ms
        yield place, at_ms, ("effort_in", bisect_left(EFFORT_BOUNDS_SECONDS, took_ms / 1000)), 1
        yield place, at_ms, "effort_contacts", contacts
        yield place, at_ms, ("effort_contacts_in", bisect_left(EFFORT_CONTACTS_BOUNDS, contacts)), 1
        handed_over = sum(first <= one <= at_ms for contact in run for one in contact.handed_over)
        yield place, at_ms, "effort_handovers", handed_over
        yield place, at_ms, "effort_solutions", sum(first <= one <= at_ms for one, _ in solutions)


def asked_facts(touchpoints: Iterable[Touchpoint], places: Sequence[Place]) -> Iterator[Fact]:
    """Yield what invitations to surveys count for: which of them were too many. Several to one survey are one."""
    known: set[int] = set()
    asked: list[int] = []
    for when, reference in touchpoints:
        if when >> 8 & 0xFF != Touch.ASKED or reference in known:
            continue
        known.add(reference)
        at_ms, number = when >> 16, when & 0xFF
        place = places[number]
        yield number, at_ms, "asked", 1
        # The one that many before it is the first that must be longer ago.
        if len(asked) >= place.most_asked and at_ms - asked[-place.most_asked] < place.asked_within_ms:
            yield number, at_ms, "asked_too_often", 1
        asked.append(at_ms)


def journey_facts(
    contacts: Sequence[Contact], places: Sequence[Place], purchases: Iterable[AccountEntry], next_day: NextDay
) -> Iterator[Fact]:
    """Yield the contacts before and after each purchase; they count when the time after it is over."""
    for when, _, _ in purchases:
        if when & 0xFF != AccountKind.PURCHASED:
            continue
        at_ms = when >> 8
        over = next_day(at_ms + JOURNEY_MS)
        yield OF_MEMBERS, over, "journeys", 1
        for contact in contacts:
            since = contact.at_ms - at_ms
            if -JOURNEY_MS <= since < 0:
                yield OF_MEMBERS, over, _BEFORE_BY[places[contact.place].channel], 1
            elif 0 <= since < JOURNEY_MS:
                yield OF_MEMBERS, over, _AFTER_BY[places[contact.place].channel], 1
