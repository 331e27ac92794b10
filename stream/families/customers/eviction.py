"""What goes from the tables of customers: who asked for it, of whom nothing was heard for long, and silent queues."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Any, Final

from stream.core.counts import CountsRow
from stream.core.rows import Rows
from stream.core.windowed import Scope
from stream.families.customers.account import NO_STANDING, standing_of
from stream.families.customers.carts import Carts
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.digested import DigestKey
from stream.families.customers.history import DAY_MS, KEPT_MS, CustomerRow, History
from stream.families.customers.parts import CustomerParts
from stream.families.customers.places import CustomerPlaces
from stream.families.customers.reports import ms_of

__all__ = ["CustomerCountsKey", "Eviction", "is_over"]

CustomerCountsKey = tuple[str, str, str, str, str, Scope, int]
"""Of a part, scope, and the number of the day, month or quarter (0 for the total)."""

SWEPT_AT_ONCE: Final = 20_000
"""Rows that are looked at, whether they may go, between two checkpoints."""

_OVER_MS: Final = KEPT_MS
"""Of what is longer ago nothing that may still come depends."""


class Eviction:
    """
    Removes rows, each only when a replay would bring none of its events, or all of them.

    By the time of the events, so that a replay forgets the same.
    """

    def __init__(
        self,
        parts: CustomerParts,
        places: CustomerPlaces,
        counts: Rows[CustomerCountsKey, CountsRow[CustomerCounts]],
        customers: Rows[DigestKey, CustomerRow],
        carts: Carts,
        *,
        keep_silent: bool,
    ) -> None:
        self._parts, self._places, self._carts = parts, places, carts
        self._counts, self._customers = counts, customers
        self._keep_silent = keep_silent
        self.committed = 0
        """All below this offset is durable and will not be replayed."""
        self.erased: dict[DigestKey, None] = {}
        """Rows that are empty, and go when that is durable."""
        self._to_sweep: Iterator[Any] | None = None
        self._swept_on = 0

    def forget(self, watermark: datetime) -> None:
        """Remove what may go; to be called at every checkpoint, with the time of the newest event."""
        self._remove_erased()
        # Once in a day of events every row is looked at, some at a time, and at last the parts.
        if not self._keep_silent and watermark.toordinal() != self._swept_on and self._sweep(watermark):
            self._swept_on = watermark.toordinal()

    def _remove_erased(self) -> None:
        for key in [*self.erased]:
            row = self._customers.get(key)
            if row is None or row.history:
                del self.erased[key]  # heard of again
            elif row.applied_offset < self.committed:
                self._customers.remove(key)
                del self.erased[key]

    def _sweep(self, watermark: datetime) -> bool:
        """Look at some rows; True once all were looked at."""
        if self._to_sweep is None:
            self._to_sweep = iter([*self._customers])
        for key in islice(self._to_sweep, SWEPT_AT_ONCE):
            row = self._customers.get(key)
            if (
                row is not None
                and row.applied_offset < self.committed
                and row.history
                and is_over(History(row.history), ms_of(watermark))
            ):
                self._parts.of_members(key[0], row.membership).leave(NO_STANDING, History(row.history).active_on)
                self._customers.remove(key)
        if (rest := next(self._to_sweep, None)) is not None:
            self._to_sweep = chain((rest,), self._to_sweep)
            return False
        if not self._carts.sweep(ms_of(watermark), self.committed):
            return False
        for part in self._parts.silent(watermark):
            for scope, number in part.counts.numbers():
                self._counts.remove((*part.key, scope, number))
            self._places.clear()
        self._to_sweep = None
        return True


def is_over(history: History, at_ms: int) -> bool:
    """
    Tell whether a history is of somebody who is no customer, and of whom nothing was heard for long before an instant.

    Whoever comes again by then is new: the same, whether the row was swept by now or not.
    """
    heard_ms = max(max(history.active_on) * DAY_MS, history.newest_ms())
    return heard_ms < at_ms - _OVER_MS and not standing_of(history.account, 0).present
