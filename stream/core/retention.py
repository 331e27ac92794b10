"""Which minutes and days of a queue are still kept: as far back as windows reach, from its newest event."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from stream.core.limits import DAYS_KEPT, MINUTES_KEPT
from stream.core.windows import day_of, minute_of

__all__ = ["Retention"]


class Retention:
    """The calendar of one queue; remembers its last answer, since most are asked for within one minute."""

    def __init__(self, zone: ZoneInfo, day_starts: time) -> None:
        self._zone = zone
        self._day_starts = day_starts
        self._newest = -1
        self._since = (0, 0)

    def since(self, watermark: datetime) -> tuple[int, int]:
        """Return the first minute and the first day that are kept when the newest event happened at *watermark*."""
        newest = minute_of(watermark)
        if newest != self._newest:
            self._newest = newest
            self._since = newest - MINUTES_KEPT, self.day_of(newest) - DAYS_KEPT + 1
        return self._since

    def day_of(self, minute: int) -> int:
        """Return the ordinal of the queue's own day that holds *minute*."""
        return day_of(minute, self._zone, self._day_starts)
