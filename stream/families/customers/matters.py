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

__all__ = [
    "JOURNEY_MS",
    "LONGEST_EFFORT_MS",
    "NOWHERE",
    "OF_MEMBERS",
    "Contact",
    "Fact",
    "Fields",
    "NextDay",
    "asked_facts",
    "contacts_in",
    "journey_facts",
    "matter_facts",
]

OF_MEMBERS: Final = -1
"""In place of the number of a place: it counts for the plan and group of the customer."""

Fields = tuple[str, ...] | tuple[str, int]
"""Fields of `CustomerCounts` that count together; or one that is a list, and the place in it."""

Fact = tuple[int, int, Fields, int]
"""The number of a place or `OF_MEMBERS`, the ms since 1970 at which it counts, what, and how much."""

NextDay = Callable[[int], int]
"""Returns, of an instant in ms since 1970, the first instant of the local day after it."""

NOWHERE: Final = ""
"""The queue of a place that was not told."""

LONGEST_EFFORT_MS: Final = 60 * DAY_MS
"""What was so much earlier than a solution has nothing to do with it."""

JOURNEY_MS: Final = 30 * DAY_MS
"""So long before and after a purchase contacts are looked at."""

_CONTACT: Final = ("contacts",)
_REPEAT: Final = ("repeats",)
_FIRST: Final = ("first_served",)
_FIRST_ONLY: Final = ("first_served", "first_not_repeated")
_DECIDED: Final = ("first_decided",)
_DECIDED_ONLY: Final = ("first_decided", "first_resolved")
_ASKED: Final = ("asked",)
_ASKED_TOO_OFTEN: Final = ("asked_too_often",)
_EFFORT: Final = ("efforts",)
_EFFORT_MS: Final = ("effort_ms",)
_EFFORT_CONTACTS: Final = ("effort_contacts",)
_EFFORT_HANDOVERS: Final = ("effort_handovers",)
_EFFORT_SOLUTIONS: Final = ("effort_solutions",)
_CAME_BY: Final = {channel: ("came_by", number) for number, channel in enumerate(CHANNELS)}
_BEFORE_BY: Final = {channel: ("before_by", number) for number, channel in enumerate(CHANNELS)}
_AFTER_BY: Final = {channel: ("after_by", number) for number, channel in enumerate(CHANNELS)}


class Contact(Struct, gc=False):
    """One contact of a customer, as its touchpoints tell."""

    at_ms: int
    """When it came."""
    place: int = -1
    """Where it came first; -1: nobody has told by now."""
    served_ms: int = -1
    """When somebody had answered, or solved it; -1: nobody by now."""
    messages: tuple[int, ...] = ()
    """When further messages came."""
    handed_over: tuple[int, ...] = ()
    solved: tuple[int, ...] = ()


def contacts_in(touchpoints: Iterable[Touchpoint], places: Sequence[Place]) -> dict[int, Contact]:
    """Return the contacts by their reference, in the order in which they came; none of which nobody told where."""
    contacts: dict[int, Contact] = {}
    is_with: dict[int, str] = {}
    for when, reference in touchpoints:
        at_ms, kind, place = when >> 16, when >> 8 & 0xFF, when & 0xFF
        if kind == Touch.ASKED:
            continue
        queue, contact = places[place].queue, contacts.get(reference)
        if contact is None:
            contact = contacts[reference] = Contact(at_ms)
        elif kind == Touch.MESSAGE:
            contact.messages += (at_ms,)
        if kind == Touch.HANDED_OVER or kind == Touch.IS_WITH:
            if kind == Touch.HANDED_OVER or is_with.get(reference, queue) != queue:
                contact.handed_over += (at_ms,)
            is_with[reference] = queue
            continue
        if contact.place < 0 and queue != NOWHERE:
            contact.place = place
            is_with.setdefault(reference, queue)
        if kind == Touch.SERVED or kind == Touch.SOLVED:
            if contact.served_ms < 0:
                contact.served_ms = at_ms
            if kind == Touch.SOLVED:
                contact.solved += (at_ms,)
    for reference in [reference for reference, contact in contacts.items() if contact.place < 0]:
        del contacts[reference]
    return contacts


def matter_facts(contacts: Sequence[Contact], places: Sequence[Place], days: Sequence[NextDay]) -> list[Fact]:
    """Return what the contacts of one matter count for; they are given in the order in which they came."""
    facts: list[Fact] = []
    start, last = 0, len(contacts) - 1
    for number, contact in enumerate(contacts):
        at_ms, at = contact.at_ms, contact.place
        place = places[at]
        facts += ((at, at_ms, _CONTACT, 1), (OF_MEMBERS, at_ms, _CAME_BY[place.channel], 1))
        followed = number < last and _follows(contacts[number + 1], contact, places)
        if number > start:
            facts.append((at, at_ms, _REPEAT, 1))
        elif contact.served_ms >= 0:
            # A case that is solved late is decided when it is.
            decided_ms = days[at](max(at_ms + place.look_back_ms, contact.served_ms))
            if followed:
                facts += ((at, at_ms, _FIRST, 1), (at, decided_ms, _DECIDED, 1))
            else:
                facts += ((at, at_ms, _FIRST_ONLY, 1), (at, decided_ms, _DECIDED_ONLY, 1))
        if not followed:
            run = contacts[start : number + 1]
            if any([one.solved for one in run]):
                facts += _effort_facts(run)
            start = number + 1
    return facts


def _follows(contact: Contact, earlier: Contact, places: Sequence[Place]) -> bool:
    return contact.at_ms - earlier.at_ms <= places[contact.place].look_back_ms


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
        yield place, at_ms, ("effort_in", bisect_left(EFFORT_BOUNDS_SECONDS, took_ms / 1000)), 1
        yield place, at_ms, ("effort_contacts_in", bisect_left(EFFORT_CONTACTS_BOUNDS, contacts)), 1
        yield place, at_ms, _EFFORT, 1
        yield place, at_ms, _EFFORT_MS, took_ms
        yield place, at_ms, _EFFORT_CONTACTS, contacts
        if handed_over := sum(first <= one <= at_ms for contact in run for one in contact.handed_over):
            yield place, at_ms, _EFFORT_HANDOVERS, handed_over
        yield place, at_ms, _EFFORT_SOLUTIONS, sum(first <= one <= at_ms for one, _ in solutions)


def asked_facts(touchpoints: Iterable[Touchpoint], places: Sequence[Place]) -> list[Fact]:
    """Return what invitations to surveys count for: which of them were too many. Several to one survey are one."""
    facts: list[Fact] = []
    known: set[int] = set()
    asked: list[int] = []
    for when, reference in touchpoints:
        if when >> 8 & 0xFF != Touch.ASKED or reference in known:
            continue
        known.add(reference)
        at_ms, number = when >> 16, when & 0xFF
        place = places[number]
        facts.append((number, at_ms, _ASKED, 1))
        # The one that many before it is the first that must be longer ago.
        if len(asked) >= place.most_asked and at_ms - asked[-place.most_asked] < place.asked_within_ms:
            facts.append((number, at_ms, _ASKED_TOO_OFTEN, 1))
        asked.append(at_ms)
    return facts


def journey_facts(
    contacts: Sequence[Contact], places: Sequence[Place], account: Iterable[AccountEntry], next_day: NextDay
) -> list[Fact]:
    """Return the contacts before and after each purchase; they count when the time after it is over."""
    facts: list[Fact] = []
    for when, _, _ in account:
        if when & 0xFF != AccountKind.PURCHASED:
            continue
        at_ms = when >> 8
        over_ms = next_day(at_ms + JOURNEY_MS)
        for contact in contacts:
            since = contact.at_ms - at_ms
            if -JOURNEY_MS <= since < 0:
                facts.append((OF_MEMBERS, over_ms, _BEFORE_BY[places[contact.place].channel], 1))
            elif 0 <= since < JOURNEY_MS:
                facts.append((OF_MEMBERS, over_ms, _AFTER_BY[places[contact.place].channel], 1))
    return facts
