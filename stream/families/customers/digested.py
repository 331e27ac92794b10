"""Rows by a digest of the name that they are of, found by whichever key the digest was made."""

from collections.abc import Sequence
from typing import TypeVar

from stream.core.cloudevents import Event
from stream.core.identity import CustomerKeys
from stream.core.rows import HasAppliedOffset, Rows

__all__ = ["found_by"]

V = TypeVar("V", bound=HasAppliedOffset)


def found_by(keys: CustomerKeys, rows: Rows[int, V], event: Event) -> tuple[int, V | None, Sequence[V]]:
    """
    Return the digest of an event's subject, its row (None: there is none), and rows that were taken for others.

    What is known by an older key moves to the first one. After a crash there may be two rows of one subject: the newer
    one has all that the other has.
    """
    key = keys.digest(event.tenantid, event.subject)
    older = keys.older(event.tenantid, event.subject)
    if not older:
        return key, rows.get(key), ()
    known = {one: row for one in (key, *older) if (row := rows.get(one)) is not None}
    if not known or [*known] == [key]:
        return key, known.get(key), ()
    newest = max(known.values(), key=lambda row: row.applied_offset)
    # The new row first: a crash between both must leave one of them.
    rows.put(key, newest)
    for one in known:
        if one != key:
            rows.remove(one)
    return key, newest, [row for row in known.values() if row is not newest]
