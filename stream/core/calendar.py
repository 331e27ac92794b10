"""Weekly opening and quiet hours by local time, correct across daylight-saving changes."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream.core.windows import start_of

__all__ = ["EVERY_DAY", "Hours", "Span", "within"]

EVERY_DAY = frozenset(range(7))
"""Monday is 0."""

_DAY = timedelta(days=1)


class Span(Struct, frozen=True):
    """
    The same hours on some days of the week.

    A span that closes no later than it opens runs past midnight, and belongs to the day on which it begins.
    """

    days: frozenset[int]
    opens: time
    closes: time
    """Not open any more at this time; `00:00` is the end of the day."""

    def of(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """
        Return the instants at which the span of a day begins and is over.

        Instants, not the hands of the clock: where it is set back they pass twice, and nobody opens twice.
        """
        until = day if self.opens < self.closes else day + _DAY
        return _instant(day, self.opens, zone), _instant(until, self.closes, zone)


Hours = tuple[Span, ...]
"""All spans of a week."""


# Every queue of a tenant asks for the same hours and minute, at every reading.
@lru_cache(maxsize=65_536)
def within(hours: Hours, zone: ZoneInfo, minute: int) -> bool:
    """Tell whether *minute* (since 1970) lies in the hours, by the local time of *zone*."""
    at = start_of(minute)
    return any(begins <= at < ends for begins, ends in _around(hours, zone, at.astimezone(zone).date()))


def _around(hours: Hours, zone: ZoneInfo, today: date) -> Iterator[tuple[datetime, datetime]]:
    for span in hours:
        for day in (today - _DAY, today):  # a span of yesterday may run past midnight
            if day.weekday() in span.days:
                yield span.of(day, zone)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
