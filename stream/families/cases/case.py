"""What is kept of one case, and the queues that it was in."""

from typing import Final

from msgspec import Struct

from stream.core.cloudevents import Channel
from stream.core.sharing import shared
from stream.families.cases.contributions import judgements_renumbered
from stream.families.cases.timeline import MAX_PLACES, first_opening, renumbered

__all__ = ["NEW_CASE", "CaseKey", "CasePlace", "CaseRow", "opened_by", "placed", "with_shared_queues"]

CaseKey = tuple[str, str]
"""Tenant and case."""

CasePlace = tuple[str, Channel | None]
"""A queue that a report names, and the channel by which the case came in there; None: it did not come in there."""


class CaseRow(Struct, array_like=True, gc=False):
    """What is known of one case; there may be a million, so it has few objects."""

    applied_offset: int = -1
    timeline: bytes = b""
    judged: bytes = b""
    """What was judged of its responses and resolutions: see `Judgements`."""
    places: tuple[CasePlace, ...] = ()
    """The queues that its reports name, in the order of their names."""


NEW_CASE: Final = CaseRow()
"""Of a case of which nothing is known; nobody may change it."""


def placed(row: CaseRow, name: str) -> tuple[CaseRow, int]:
    """
    Return what is known of a case, with a queue that an event names among its places, and the place of that.

    Places are in the order of their names, whatever came first: of two reports of one instant the same one is then the
    first, always.
    """
    places = row.places
    for number, (known, _) in enumerate(places):
        if name == known:
            return row, number
    if len(places) == MAX_PLACES:
        return row, MAX_PLACES - 1
    number = sum(known < name for known, _ in places)
    timeline, judged = row.timeline, row.judged
    if number < len(places):
        timeline, judged = renumbered(timeline, number), judgements_renumbered(judged, number)
    places = shared((*places[:number], (name, None), *places[number:]))
    return CaseRow(row.applied_offset, timeline, judged, places), number


def opened_by(row: CaseRow, number: int, channel: Channel, at_ms: int) -> tuple[CasePlace, ...]:
    """
    Return the places of a case, now that somebody reports that it came in there by a channel; often the very same ones.

    Of several openings in one queue the earliest says by which, of one instant the first channel by its name.
    """
    places = row.places
    name, known = places[number]
    if known == channel or (known is not None and (first_opening(row.timeline, number), known) < (at_ms, channel)):
        return places
    return shared((*places[:number], (name, channel), *places[number + 1 :]))


def with_shared_queues(row: CaseRow) -> CaseRow:
    """Return a row that was read, with its places as one object for all cases of the same queues."""
    row.places = shared(row.places)
    return row
