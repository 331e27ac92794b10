"""Local days of instants in milliseconds since 1970, remembered: nearly all events ask for the same few."""

from datetime import time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from stream.core.windows import EPOCH, day_of, start_of_day

__all__ = ["EPOCH_DAY", "LocalDays"]

EPOCH_DAY: Final = EPOCH.toordinal()

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000
_REMEMBERED: Final = 20_000
_MILLISECOND: Final = timedelta(milliseconds=1)


class LocalDays:
    """The days of one time zone, which begin at one local time."""

    def __init__(self, zone: ZoneInfo, day_starts: time) -> None:
        self._zone, self._day_starts = zone, day_starts
        self._by_hour: dict[int, int] = {}
        """Of hours that are in one day as a whole: of all the days that are kept there are few."""
        self._starts: dict[int, int] = {}

    def day(self, at_ms: int) -> int:
        """Return the ordinal of the local day that holds an instant."""
        found = self._by_hour.get(at_ms // _HOUR_MS)
        return self._day_at(at_ms) if found is None else found

    def _day_at(self, at_ms: int) -> int:
        hour = at_ms // _HOUR_MS * _HOUR_MS
        first, last = (
            day_of(minute, self._zone, self._day_starts)
            for minute in (hour // _MINUTE_MS, (hour + _HOUR_MS) // _MINUTE_MS - 1)
        )
        if first == last:
            if len(self._by_hour) >= _REMEMBERED:
                self._by_hour.clear()
            self._by_hour[at_ms // _HOUR_MS] = first
            return first
        return day_of(at_ms // _MINUTE_MS, self._zone, self._day_starts)

    def next_day(self, at_ms: int) -> int:
        """Return the first instant of the local day after the one that holds an instant."""
        return self.start(self.day(at_ms) + 1)

    def start(self, day: int) -> int:
        """Return the first instant of the local day of an ordinal."""
        found = self._starts.get(day)
        if found is None:
            if len(self._starts) >= _REMEMBERED:
                self._starts.clear()
            found = self._starts[day] = (start_of_day(day, self._zone, self._day_starts) - EPOCH) // _MILLISECOND
        return found
