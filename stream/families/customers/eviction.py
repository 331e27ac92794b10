"""What goes from the tables of customers: who asked for it, of whom nothing was heard for long, and silent queues."""

from datetime import datetime

from stream.core.counts import CountsRow
from stream.core.rows import Rows
from stream.core.sweep import Sweep
from stream.core.windowed import Scope
from stream.core.windows import ms_of
from stream.families.customers.account import NO_STANDING, standing_of
from stream.families.customers.carts import Carts
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.history import DAY_MS, KEPT_MS, CustomerRow, History
from stream.families.customers.parts import CustomerParts
from stream.families.customers.places import CustomerPlaces

__all__ = ["CustomerCountsKey", "Eviction", "is_over"]

CustomerCountsKey = tuple[str, str, str, str, str, Scope, int]
"""Of a part, scope, and the number of the day, month or quarter (0 for the total)."""


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
        customers: Rows[int, CustomerRow],
        carts: Carts,
        *,
        keep_silent: bool,
    ) -> None:
        self._parts, self._places, self._carts = parts, places, carts
        self._counts, self._customers = counts, customers
        self._keep_silent = keep_silent
        self.committed = 0
        """All below this offset is durable and will not be replayed."""
        self.erased: dict[int, None] = {}
        """Rows that are empty, and go when that is durable."""
        self._sweep = Sweep(customers)

    def forget(self, watermark: datetime) -> None:
        """Remove what may go; to be called at every checkpoint, with the time of the newest event."""
        self._remove_erased()
        if self._keep_silent:
            return
        self._carts.forget(watermark, self.committed)
        # Once in a day of events every row is looked at, some at a time, and at last the queues.
        watermark_ms = ms_of(watermark)
        for key in self._sweep.some(watermark.toordinal()):
            row = self._customers.get(key)
            if row is not None and row.history and row.applied_offset < self.committed:
                self._remove_over(key, row, watermark_ms)
        if self._sweep.has_ended:
            self._remove_silent(watermark)

    def _remove_erased(self) -> None:
        for key in [*self.erased]:
            row = self._customers.get(key)
            if row is None or row.history:
                del self.erased[key]  # heard of again
            elif row.applied_offset < self.committed:
                self._customers.remove(key)
                del self.erased[key]

    def _remove_over(self, key: int, row: CustomerRow, watermark_ms: int) -> None:
        history = History(row.history)
        if is_over(history, watermark_ms):
            self._parts.of_members(row.membership).leave(NO_STANDING, history.active_on)
            self._customers.remove(key)

    def _remove_silent(self, watermark: datetime) -> None:
        for part in self._parts.silent(watermark):
            for scope, number in part.counts.numbers():
                self._counts.remove((*part.key, scope, number))
            self._places.clear()


def is_over(history: History, at_ms: int) -> bool:
    """
    Tell whether a history is of somebody who is no customer, and of whom nothing was heard for long before an instant.

    Whoever comes again by then is new: the same, whether the row was swept by now or not.
    """
    heard_ms = max(max(history.active_on) * DAY_MS, history.newest_ms())
    return heard_ms < at_ms - KEPT_MS and not standing_of(history.account, 0).present
