"""Makes room where a customer has too many touchpoints: old ones go, and what they counted for stays."""

from collections.abc import Sequence
from typing import Final

from stream.families.customers.history import KEPT_MS, MOST_KEPT, CustomerPlace, Touch, Touchpoint
from stream.families.customers.matters import OF_MEMBERS, CustomerFact, contacts_in, matter_of, runs_in

__all__ = ["DROPPED", "make_room"]

DROPPED: Final = ("dropped",)


def make_room(touchpoints: list[Touchpoint], newest: Touchpoint, places: Sequence[CustomerPlace]) -> list[CustomerFact]:
    """
    Forget what is so old that it does not matter any more, and if that is not enough, the oldest run.

    The latter counts as dropped. A run goes as a whole: of half of one, what is left would count otherwise than it did.
    Its last contact stays as a mark, so that the next one is still a repeat.
    """
    horizon_ms = (newest[0] >> 16) - KEPT_MS
    # A contact is known from its first touchpoint to its last: half forgotten it would seem to come later.
    recent = {reference for when, reference in touchpoints if when >> 16 >= horizon_ms}
    touchpoints[:] = [one for one in touchpoints if one[1] in recent]
    before = len(_without_marks(touchpoints))
    while len(touchpoints) >= MOST_KEPT:
        touchpoints[:] = _without_oldest(touchpoints, places)
    dropped = before - len(_without_marks(touchpoints))
    return [(OF_MEMBERS, newest[0] >> 16, DROPPED, dropped)] if dropped else []


def _without_marks(touchpoints: Sequence[Touchpoint]) -> list[Touchpoint]:
    return [one for one in touchpoints if one[0] >> 8 & 0xFF != Touch.FORGOTTEN]


def _without_oldest(touchpoints: Sequence[Touchpoint], places: Sequence[CustomerPlace]) -> list[Touchpoint]:
    """Return touchpoints without the oldest invitation, or without all of the oldest run."""
    oldest = (_without_marks(touchpoints) or touchpoints)[0]
    if oldest[0] >> 8 & 0xFF in {Touch.ASKED, Touch.FORGOTTEN}:
        return [one for one in touchpoints if one is not oldest]
    contacts = contacts_in(touchpoints, places)
    if oldest[1] not in contacts:  # nobody has told where it came
        return [one for one in touchpoints if one[1] != oldest[1] or one[0] >> 8 & 0xFF == Touch.ASKED]
    matter = matter_of(contacts[oldest[1]], places)
    of_matter = {reference: one for reference, one in contacts.items() if matter_of(one, places) == matter}
    run = next(
        run for run in runs_in([*of_matter.values()], places) if [1 for one in run if one is contacts[oldest[1]]]
    )
    gone = {reference for reference, one in of_matter.items() if one.at_ms <= run[-1].at_ms}
    last = next(reference for reference, one in of_matter.items() if one is run[-1])
    place = run[-1].place if run[-1].topic_place < 0 else run[-1].topic_place
    mark = (run[-1].at_ms << 16 | Touch.FORGOTTEN << 8 | place, last)
    return sorted([mark, *[one for one in touchpoints if one[1] not in gone or one[0] >> 8 & 0xFF == Touch.ASKED]])
