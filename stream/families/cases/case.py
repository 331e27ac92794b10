"""What is kept of one case, and the queues that it was in."""

from typing import Final

from msgspec import Struct

from stream.core.cloudevents import Channel
from stream.core.sharing import shared
from stream.families.cases.contributions import judgements_renumbered
from stream.families.cases.timeline import MAX_PLACES, renumbered

__all__ = ["NEW_CASE", "CaseKey", "CasePlace", "CaseRow", "placed", "with_shared_queues"]

CaseKey = tuple[str, str]
"""Tenant and case."""

CasePlace = tuple[str, Channel | None]
"""A queue that a report names, and the channel of those that tell how the case came in."""


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


def placed(row: CaseRow, name: str, channel: Channel | None) -> tuple[CaseRow, int]:
    """
    Return what is known of a case, with a queue that an event names among its places, and the place of that.

    Its *channel* is told by events of how the case came in. Places are in the order of their names, whatever came
    first: of two reports of one instant the same one is then the first, always.
    """
    places = row.places
    for number, (known, came_by) in enumerate(places):
        if name == known and (channel is None or came_by in {None, channel}):
            if channel != came_by and channel is not None:
                places = shared((*places[:number], (name, channel), *places[number + 1 :]))
                row = CaseRow(row.applied_offset, row.timeline, row.judged, places)
            return row, number
    if len(places) == MAX_PLACES:
        return row, MAX_PLACES - 1
    number = sum((known, came_by or "") < (name, channel or "") for known, came_by in places)
    timeline, judged = row.timeline, row.judged
    if number < len(places):
        timeline, judged = renumbered(timeline, number), judgements_renumbered(judged, number)
    places = shared((*places[:number], (name, channel), *places[number:]))
    return CaseRow(row.applied_offset, timeline, judged, places), number


def with_shared_queues(row: CaseRow) -> CaseRow:
    """Return a row that was read, with its places as one object for all cases of the same queues."""
    row.places = shared(row.places)
    return row
