"""
What a key has counted since it was last silent, and what of that was taken back: the counters of Prometheus.

Counters never fall, so what a later event corrects is kept apart. Totals begin anew with the event that ends a
silence: nobody has been shown the old ones for long, and their rows may be gone. That must be the same whether
they are or not; so it follows from the times of the events alone, and what happened before is not counted.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from stream.core.counts import Counts, CountsRow, zero
from stream.core.windows import minute_of

__all__ = ["Totals"]

T = TypeVar("T", bound=Counts)


class Totals(Generic[T]):
    """
    One row, which counts each record once.

    What was taken back stands beside what was counted, and both beside the newest event: neither can be right without
    the other, nor can a replay decide as the first time what counters had shown, without the watermark of that time.
    """

    def __init__(
        self, new_row: Callable[[], CountsRow[T]], silence: timedelta | None, foresees: timedelta = timedelta(0)
    ) -> None:
        """
        Totals end with a *silence* that is longer than this; None: never.

        Nothing is counted at an instant that *foresees* more than this, ahead of the newest event.
        """
        assert silence is None or foresees < silence, "what lies ahead would outlast a silence"
        self.silence = silence
        self._foresees = foresees
        self.counted = new_row()
        self.taken_back = self.counted.taken_back = type(self.counted.tally)()
        self.first_minute = 0
        """Of the first minute on totals count; what is earlier is of the time before the silence."""

    def load_counted(self, row: CountsRow[T]) -> None:
        """Take the row of the totals over from the changelog."""
        self.counted = row
        self.taken_back = row.taken_back = row.taken_back or self.taken_back
        self._find_first_minute()

    def load_taken_back(self, row: CountsRow[T]) -> None:
        """Take over what was taken back where a version before wrote a row for it, and none has been written since."""
        if self.counted.newest is None:
            self.taken_back = self.counted.taken_back = row.tally

    def begin_anew(self, at: datetime) -> None:
        """Begin with an event that ends a silence."""
        self.counted.began = at
        self.counted.tally.clear()  # in place: whoever counts in it by now goes on
        self.taken_back.clear()
        self._find_first_minute()

    def _find_first_minute(self) -> None:
        began = self.counted.began
        if began is not None and self.silence is not None:
            # All events before the silence, and what they foresaw, were earlier than that. What is counted late
            # between the two may have been counted before, so the new totals have nothing of it.
            self.first_minute = minute_of(began - self.silence + self._foresees) + 1

    def correct(self, at: datetime, offset: int) -> list[T]:
        """Return the tallies that keep what was counted at an instant and is taken back by a record: none, or one."""
        counts = self.counted.applied_offset < offset and minute_of(at) >= self.first_minute
        return [self.taken_back] if counts else []

    def read_taken_back(self) -> bytes:
        """Return what was counted once and is not any more, packed; empty: nothing."""
        # Most keys never had a correction: comparing costs a tenth of packing.
        return b"" if self.taken_back == zero(type(self.taken_back)) else self.taken_back.pack()
