"""
What the touchpoints of a customer count for: contacts that come again, those that need not, and what a solution took.

All of it follows from the set of touchpoints. Each contact is about one matter: the topic that was told first, else
that of the place where it began. Contacts of one matter that follow each other within the look-back are a *run*.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct

from stream.families.customers.counts import CHANNELS, EFFORT_BOUNDS_SECONDS, EFFORT_CONTACTS_BOUNDS
from stream.families.customers.history import DAY_MS, AccountEntry, AccountKind, CustomerPlace, Touch, Touchpoint

__all__ = [
    "JOURNEY_MS",
    "LONGEST_EFFORT_MS",
    "NOWHERE",
    "OF_MEMBERS",
    "Contact",
    "CustomerFact",
    "Fields",
    "NextDay",
    "asked_facts",
    "came_facts",
    "contact_of",
    "contacts_in",
    "effort_facts",
    "first_facts",
    "journey_facts",
    "matter_facts",
    "matter_of",
    "note_touch",
    "repeat_fact",
    "runs_in",
    "served_facts",
]

OF_MEMBERS: Final = -1
"""In place of the number of a place: it counts for the plan and group of the customer."""

Fields = tuple[str, ...] | tuple[str, int]
"""Fields of `CustomerCounts` that count together; or one that is a list, and the place in it."""

CustomerFact = tuple[int, int, Fields, int]
"""The number of a place or `OF_MEMBERS`, the ms since 1970 at which it counts, what, and how much."""

NextDay = Callable[[int], int]
"""Returns, of an instant in ms since 1970, the first instant of the local day after it."""

NOWHERE: Final = ""
"""The queue of a place that was not told."""

LONGEST_EFFORT_MS: Final = 60 * DAY_MS
"""What was so much earlier than a solution has nothing to do with it, but for the contact that it solves."""

JOURNEY_MS: Final = 30 * DAY_MS
"""So long before and after a purchase contacts are looked at."""

_CONTACT: Final = ("contacts",)
_REPEAT: Final = ("contacts", "repeats")
_SERVED: Final = ("first_served",)
_SERVED_ONLY: Final = ("first_served", "first_not_repeated")
_DECIDED: Final = ("first_decided",)
_DECIDED_ONLY: Final = ("first_decided", "first_resolved")
_ASKED: Final = ("asked",)
_ASKED_TOO_OFTEN: Final = ("asked_too_often",)
_EFFORT: Final = ("efforts",)
_EFFORT_MS: Final = ("effort_ms",)
_EFFORT_CONTACTS: Final = ("effort_contacts",)
_EFFORT_HANDOVERS: Final = ("effort_handovers",)
_EFFORT_SOLUTIONS: Final = ("effort_solutions",)
_EFFORT_OF_ONE: Final = (*_EFFORT, *_EFFORT_CONTACTS, *_EFFORT_SOLUTIONS)
"""One contact with one solution: most."""
_CAME_BY: Final = {channel: ("came_by", number) for number, channel in enumerate(CHANNELS)}
_BEFORE_BY: Final = {channel: ("before_by", number) for number, channel in enumerate(CHANNELS)}
_AFTER_BY: Final = {channel: ("after_by", number) for number, channel in enumerate(CHANNELS)}


class Contact(Struct, gc=False):
    """One contact of a customer, as its touchpoints tell."""

    at_ms: int
    """When it came."""
    place: int = -1
    """Where it came first; -1: nobody has told by now."""
    topic_place: int = -1
    """Where its topic was told first; -1: nobody has told any, or it does not matter there."""
    served_ms: int = -1
    """When somebody had answered, or solved it; -1: nobody by now."""
    messages: tuple[int, ...] = ()
    """When further messages came."""
    handed_over: tuple[int, ...] = ()
    solved: tuple[int, ...] = ()
    is_forgotten: bool = False
    """It counts for what it did, and for nothing new; what comes again after it does."""


def contacts_in(touchpoints: Iterable[Touchpoint], places: Sequence[CustomerPlace]) -> dict[int, Contact]:
    """Return the contacts by their reference, in the order in which they came; none of which nobody told where."""
    touched: dict[int, list[int]] = {}
    for when, reference in touchpoints:
        if when >> 8 & 0xFF != Touch.ASKED:
            touched.setdefault(reference, []).append(when)
    contacts = {reference: contact_of(of, places) for reference, of in touched.items()}
    return {reference: contact for reference, contact in contacts.items() if contact.place >= 0}


def contact_of(touched: Sequence[int], places: Sequence[CustomerPlace]) -> Contact:
    """Return the contact to which these touchpoints belong, given without their reference and in their order."""
    contact = Contact(touched[0] >> 16)
    is_with = NOWHERE
    for when in touched:
        at_ms, kind, place = when >> 16, when >> 8 & 0xFF, places[when & 0xFF]
        queue = place.queue
        if kind in _WHERE:
            if kind == Touch.FORGOTTEN:
                return Contact(at_ms, when & 0xFF, is_forgotten=True)
            if kind == Touch.HANDED_OVER or is_with not in {NOWHERE, queue}:
                contact.handed_over += (at_ms,)
            is_with = queue
            continue
        # Who was only given a solution did not come: we have called, or written first.
        if contact.place < 0 and queue != NOWHERE and kind != Touch.SOLVED:
            contact.place = when & 0xFF
            is_with = is_with or queue
        if place.tells_topic and contact.topic_place < 0:
            contact.topic_place = when & 0xFF
        if kind in _TELLS and (kind != Touch.MESSAGE or when != touched[0]):
            note_touch(contact, at_ms, kind)
    return contact


def matter_of(contact: Contact, places: Sequence[CustomerPlace]) -> str:
    """Return what a contact is about; of one of which it is known where it came."""
    return places[contact.place if contact.topic_place < 0 else contact.topic_place].matter


_WHERE: Final = frozenset({Touch.HANDED_OVER, Touch.IS_WITH, Touch.FORGOTTEN})
_TELLS: Final = frozenset({Touch.MESSAGE, Touch.SERVED, Touch.SOLVED})


def note_touch(contact: Contact, at_ms: int, kind: int) -> None:
    """Note a further message of a contact, that somebody answered it, or solved it: `Touch` tells which."""
    if kind == Touch.MESSAGE:
        contact.messages += (at_ms,)
        return
    if contact.served_ms < 0:
        contact.served_ms = at_ms
    # Who has not written since is told the same solution again: many desks say how a case stands whenever it changes.
    if kind == Touch.SOLVED and not (contact.solved and contact.messages[-1:] <= contact.solved[-1:]):
        contact.solved += (at_ms,)


def runs_in(contacts: Sequence[Contact], places: Sequence[CustomerPlace]) -> list[list[Contact]]:
    """Return the runs of the contacts of one matter; both in the order in which they came."""
    runs: list[list[Contact]] = []
    earlier: Contact | None = None
    for contact in contacts:
        if earlier is not None and contact.at_ms - earlier.at_ms <= places[earlier.place].look_back_ms:
            runs[-1].append(contact)
        else:
            runs.append([contact])
        earlier = contact
    return runs


def matter_facts(
    contacts: Sequence[Contact], places: Sequence[CustomerPlace], days: Sequence[NextDay]
) -> list[CustomerFact]:
    """Return what the contacts of one matter count for; they are given in the order in which they came."""
    facts: list[CustomerFact] = []
    for run in runs_in(contacts, places):
        if not run[0].is_forgotten:
            facts += first_facts(run[0], places, days, followed=len(run) > 1)
        facts += [repeat_fact(contact) for contact in run[1:]]
        facts += effort_facts(run)
    return facts


def first_facts(
    contact: Contact, places: Sequence[CustomerPlace], days: Sequence[NextDay], *, followed: bool
) -> list[CustomerFact]:
    """Return what the first contact of a run counts for, but for what solutions took."""
    came: CustomerFact = (contact.place, contact.at_ms, _CONTACT, 1)
    if contact.served_ms < 0:
        return [came]
    return [came, *served_facts(contact, places, days, followed=followed)]


def served_facts(
    contact: Contact, places: Sequence[CustomerPlace], days: Sequence[NextDay], *, followed: bool
) -> list[CustomerFact]:
    """Return what the first contact of a run counts for because somebody answered."""
    at_ms, at = contact.at_ms, contact.place
    # A case that is solved late is decided when it is.
    decided_ms = days[at](max(at_ms + places[at].look_back_ms, contact.served_ms))
    return [
        (at, at_ms, _SERVED if followed else _SERVED_ONLY, 1),
        (at, decided_ms, _DECIDED if followed else _DECIDED_ONLY, 1),
    ]


def repeat_fact(contact: Contact) -> CustomerFact:
    """Return what a later contact of a run counts for."""
    return contact.place, contact.at_ms, _REPEAT, 1


def came_facts(contacts: Iterable[Contact], places: Sequence[CustomerPlace]) -> list[CustomerFact]:
    """Return what the contacts of a customer count for among those of a plan and group; of others they do not."""
    return [
        (OF_MEMBERS, contact.at_ms, _CAME_BY[places[contact.place].channel], 1)
        for contact in contacts
        if not contact.is_forgotten
    ]


def effort_facts(run: Sequence[Contact]) -> list[CustomerFact]:
    """Return what the solutions in a run took; of two that belong together only the last counts."""
    facts: list[CustomerFact] = []
    solutions = [(at_ms, contact.place, contact.at_ms) for contact in run for at_ms in contact.solved]
    if not solutions:
        return facts
    solutions.sort()
    for number, (at_ms, place, opened_ms) in enumerate(solutions):
        if number + 1 < len(solutions) and solutions[number + 1][0] - at_ms <= LONGEST_EFFORT_MS:
            continue
        since_ms = min(at_ms - LONGEST_EFFORT_MS, opened_ms)
        came = [one.at_ms for one in run if since_ms <= one.at_ms <= at_ms]
        took_ms = at_ms - (came[0] if came else at_ms)
        messages = [one for contact in run if contact.messages for one in contact.messages]
        contacts = len(came) + (_number(messages, since_ms, at_ms) if messages else 0)
        others = _number([one for one, _, _ in solutions[:number]], since_ms, at_ms) if number else 0
        facts += (
            (place, at_ms, ("effort_in", bisect_left(EFFORT_BOUNDS_SECONDS, took_ms / 1000)), 1),
            (place, at_ms, ("effort_contacts_in", bisect_left(EFFORT_CONTACTS_BOUNDS, contacts)), 1),
            (place, at_ms, _EFFORT_MS, took_ms),
        )
        if contacts == 1 and not others:
            facts.append((place, at_ms, _EFFORT_OF_ONE, 1))
        else:
            facts += (
                (place, at_ms, _EFFORT, 1),
                (place, at_ms, _EFFORT_CONTACTS, contacts),
                (place, at_ms, _EFFORT_SOLUTIONS, others + 1),
            )
        handovers = [one for contact in run if contact.handed_over for one in contact.handed_over]
        if handovers and (handed_over := _number(handovers, since_ms, at_ms)):
            facts.append((place, at_ms, _EFFORT_HANDOVERS, handed_over))
    return facts


def _number(instants: Sequence[int], first_ms: int, last_ms: int) -> int:
    """Return how many instants are in a span, both ends included."""
    return len([one for one in instants if first_ms <= one <= last_ms])


def asked_facts(touchpoints: Iterable[Touchpoint], places: Sequence[CustomerPlace]) -> list[CustomerFact]:
    """Return what invitations to surveys count for: which of them were too many. Several to one survey are one."""
    facts: list[CustomerFact] = []
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
    contacts: Sequence[Contact], places: Sequence[CustomerPlace], account: Iterable[AccountEntry], next_day: NextDay
) -> list[CustomerFact]:
    """Return the contacts before and after each purchase; they count when the time after it is over."""
    facts: list[CustomerFact] = []
    for when, _, _ in account:
        if when >> 4 & 0xF != AccountKind.PURCHASED:
            continue
        at_ms = when >> 8
        for contact in contacts:
            since = contact.at_ms - at_ms
            if -JOURNEY_MS <= since < JOURNEY_MS and not contact.is_forgotten:
                by = _BEFORE_BY if since < 0 else _AFTER_BY
                facts.append((OF_MEMBERS, next_day(at_ms + JOURNEY_MS), by[places[contact.place].channel], 1))
    return facts
