"""
What the newest touchpoint of a customer changes in the figures, told from where it stands.

Nearly every touchpoint comes as the newest. Then of what was before it only the first contact of its run and the last
solution count otherwise; so all that was need not be compared with all that is, as `stream.families.customers.change`
does it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from stream.families.customers.difference import difference_of
from stream.families.customers.history import AccountEntry, CustomerPlace, Touch, Touchpoint
from stream.families.customers.matters import (
    NOWHERE,
    OF_MEMBERS,
    Contact,
    CustomerFact,
    NextDay,
    came_facts,
    contact_of,
    contacts_in,
    effort_facts,
    first_facts,
    journey_facts,
    matter_of,
    note_touch,
    repeat_fact,
    runs_in,
    served_facts,
)

__all__ = ["newest_facts"]

_Difference = tuple[list[CustomerFact], list[CustomerFact]]
"""What is taken back, and what is added."""

_OPENS: Final = frozenset({Touch.CAME, Touch.MESSAGE, Touch.SERVED})
_SERVES: Final = frozenset({Touch.SERVED, Touch.SOLVED})


def newest_facts(
    touchpoints: Sequence[Touchpoint],
    newest: Touchpoint,
    account: Sequence[AccountEntry],
    places: Sequence[CustomerPlace],
    days: Sequence[NextDay],
) -> _Difference | None:
    """
    Return what a touchpoint of a contact changes that is later than all *touchpoints*.

    None if that does not follow from where it stands: nobody had told where its contact came, or what it is about.
    """
    when, reference = newest
    at_ms, kind, place = when >> 16, when >> 8 & 0xFF, when & 0xFF
    touched = [one for one, of in touchpoints if of == reference and one >> 8 & 0xFF != Touch.ASKED]
    if not touched:
        if kind not in _OPENS or places[place].queue == NOWHERE:
            return [], []
        contact = contact_of([when], places)
        gone, new = _opened(contact, _run_of(contact, reference, touchpoints, places), places, days)
        if account:
            new += came_facts([contact], places)
            new += journey_facts([contact], places, account, days[OF_MEMBERS])
        return gone, new
    contact = contact_of(touched, places)
    if contact.place < 0 or (contact.topic_place < 0 and places[place].tells_topic):
        return None
    if contact.is_forgotten or kind not in _SERVES or (kind == Touch.SERVED and contact.served_ms >= 0):
        return [], []  # until a solution follows
    return _served(contact, at_ms, kind, _run_of(contact, reference, touchpoints, places), places, days)


def _run_of(
    contact: Contact, reference: int, touchpoints: Sequence[Touchpoint], places: Sequence[CustomerPlace]
) -> Sequence[Contact]:
    """Return the run that a contact is in, which may have begun by the newest touchpoint."""
    since = contact.at_ms - max([place.look_back_ms for place in places]) << 16
    if not [
        1
        for when, of in touchpoints[bisect_left(touchpoints, (since, 0)) :]
        if of != reference and when >> 8 & 0xFF != Touch.ASKED
    ]:
        return [contact]  # most often
    contacts = contacts_in(touchpoints, places)
    contacts[reference] = contact
    matter = matter_of(contact, places)
    runs = runs_in([one for one in contacts.values() if matter_of(one, places) == matter], places)
    return next(run for run in runs if [one for one in run if one is contact])


def _opened(
    contact: Contact, run: Sequence[Contact], places: Sequence[CustomerPlace], days: Sequence[NextDay]
) -> _Difference:
    """Return what changes by a contact that begins, the last one of its run."""
    first = run[0]
    if first is contact:
        return [], first_facts(first, places, days, followed=False)
    again = repeat_fact(contact)
    if len(run) > 2 or first.served_ms < 0:
        return [], [again]
    was, now = (served_facts(first, places, days, followed=followed) for followed in (False, True))
    gone, new = difference_of(was, now)
    return gone, [*new, again]


def _served(
    contact: Contact,
    at_ms: int,
    kind: int,
    run: Sequence[Contact],
    places: Sequence[CustomerPlace],
    days: Sequence[NextDay],
) -> _Difference:
    """Return what changes by an answer or a solution to one of the contacts of a run."""
    was = effort_facts(run) if kind == Touch.SOLVED else []
    is_first_answer = contact.served_ms < 0
    note_touch(contact, at_ms, kind)
    gone, new = difference_of(was, effort_facts(run)) if kind == Touch.SOLVED else ([], [])
    if is_first_answer and run[0] is contact:
        new += served_facts(contact, places, days, followed=len(run) > 1)
    return gone, new
