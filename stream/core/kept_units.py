"""Which minute, hour, local day, month and quarter an instant is in, and which of them are kept by the newest event.

Knows no counts: only a retention, a time zone, and when days begin.
"""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from stream.core.retention import Retention
from stream.core.windows import (
    EPOCH,
    Unit,
    day_of,
    hour_of,
    minute_of,
    month_of,
    quarter_of,
    start_of,
    start_of_day,
)

__all__ = ["KeptUnits"]


class KeptUnits:
    """The units of one key, by number. What is kept follows from its watermark: the same for all who ask, whenever."""

    def __init__(self, retention: Retention, zone: ZoneInfo, day_starts: time) -> None:
        self._retention, self._zone, self._day_starts = retention, zone, day_starts
        self._first: dict[Unit, int] = {}
        """The first of each unit that is kept, until the watermark is at `_first_until`."""
        self._first_until = EPOCH

    def number(self, unit: Unit, minute: int) -> int:
        """Return the number of the unit that holds *minute*."""
        if unit == "day":
            return day_of(minute, self._zone, self._day_starts)
        if unit == "minute":
            return minute
        if unit == "hour":
            return hour_of(minute)
        day = day_of(minute, self._zone, self._day_starts)
        return month_of(day) if unit == "month" else quarter_of(day)

    def day_of(self, minute: int) -> int:
        """Return the ordinal of the local day that holds *minute*."""
        return day_of(minute, self._zone, self._day_starts)

    def minutes_of_day(self, day: int) -> tuple[int, int]:
        """Return the first and last minute of a local day."""
        first, after = (minute_of(start_of_day(number, self._zone, self._day_starts)) for number in (day, day + 1))
        return first, after - 1

    def first(self, watermark: datetime) -> dict[Unit, int]:
        """Return the first of each unit that is kept; mostly asked for within one minute, or day."""
        if watermark >= self._first_until:
            newest = minute_of(watermark)
            self._first, self._first_until = self._kept_from(newest), self._until(newest)
        return self._first

    def _until(self, newest: int) -> datetime:
        """Return when another minute begins, or hour, or day: the shortest unit that is kept."""
        kept = self._retention
        if kept.minutes:
            return start_of(newest + 1)
        if kept.hours:
            return start_of((hour_of(newest) + 1) * 60)
        return start_of_day(self.day_of(newest) + 1, self._zone, self._day_starts)

    def _kept_from(self, newest: int) -> dict[Unit, int]:
        kept, today = self._retention, self.day_of(newest)
        first: dict[Unit, int] = {}
        # The running minute or hour and that many whole ones before it, as a window has them; of days, months and
        # quarters the running one is among those that are kept.
        if kept.minutes:
            first["minute"] = newest - kept.minutes
        if kept.hours:
            first["hour"] = hour_of(newest) - kept.hours
        if kept.days:
            first["day"] = today - kept.days + 1
        if kept.months:
            first["month"] = month_of(today) - kept.months + 1
        if kept.quarters:
            first["quarter"] = quarter_of(today) - kept.quarters + 1
        return first
