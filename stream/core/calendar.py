"""
Business time: weekly hours with holidays and exceptions, by local time.

All is of instants, so it is exact across daylight-saving changes: where the clock is set back its hands pass twice,
and nobody opens twice.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream.core.public_holidays import public_holidays
from stream.core.windows import first_day_of, month_of, start_of_day

__all__ = ["EVERY_DAY", "BusinessCalendar", "Hours", "Span", "SpecialDay"]

EVERY_DAY: Final = frozenset(range(7))
"""Monday is 0."""

_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)

_MONTHS_AHEAD: Final = 24
"""So far it is looked when something opens again, or had or will have so much business time: later is never."""


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
        """Return the instants at which the span of a day begins and is over."""
        until = day if self.opens < self.closes else day + _DAY
        return _instant(day, self.opens, zone), _instant(until, self.closes, zone)


Hours = tuple[Span, ...]
"""All spans of a week."""

_ALL_DAY: Final[Hours] = (Span(EVERY_DAY, time(0), time(0)),)


class SpecialDay(Struct, frozen=True):
    """A day with hours of its own, whatever day of the week or holiday it is; without any it is closed."""

    day: date
    hours: Hours = ()
    """The days of the week in them are not looked at."""


class BusinessCalendar(Struct, frozen=True, kw_only=True):
    """When something is served. Spans past midnight belong to the day on which they begin, also before a holiday."""

    zone: ZoneInfo
    hours: Hours | None = None
    """None: always, but for holidays and special days."""
    special_days: tuple[SpecialDay, ...] = ()
    region: str = ""
    """Whose public holidays are closed days: a country, or country and part of it, such as `DE-BY`. Empty: none."""

    @property
    def always(self) -> bool:
        """Whether it is never closed."""
        return self.hours is None and not self.special_days and not self.region

    def is_open(self, at: datetime) -> bool:
        """Tell whether it is open at the instant *at*."""
        if self.always:
            return True
        return any(opens <= at < closes for opens, closes in _open_on(self, _local_day(at, self.zone)))

    def opens_at(self, at: datetime) -> datetime | None:
        """Return when it opens next: *at* itself while it is open; None if it does not within two years."""
        if self.always:
            return at
        today = _local_day(at, self.zone)
        for day in range(today, today + _MONTHS_AHEAD * 31):
            for opens, closes in _open_on(self, day):
                if at < closes:
                    return max(opens, at)
        return None

    def business_time(self, since: datetime, until: datetime) -> timedelta:
        """Return how long it is open from one instant to a later one; 0 if that is not later."""
        if until <= since:
            return timedelta(0)
        if self.always:
            return until - since
        first, last = _Place.of(self, since), _Place.of(self, until)
        whole_months = sum(_month(self, month)[-1] for month in range(first.month, last.month))
        return (whole_months + last.passed - first.passed) * _MICROSECOND

    def after(self, since: datetime, length: timedelta) -> datetime | None:
        """
        Return the first instant at which so much business time has passed; None if that is not within two years.

        A length of 0 has passed at once, also while it is closed.
        """
        if self.always or length <= timedelta(0):
            return since + length
        place = _Place.of(self, since)
        wanted = place.passed + length // _MICROSECOND
        for month in range(place.month, place.month + _MONTHS_AHEAD):
            in_month = _month(self, month)
            if wanted <= in_month[-1]:
                return self._when(month, wanted)
            wanted -= in_month[-1]
        return None

    def before(self, until: datetime, length: timedelta) -> datetime | None:
        """Return the last instant from which so much business time passes until a later one; None: over two years."""
        if self.always or length <= timedelta(0):
            return until - length
        place = _Place.of(self, until)
        wanted = place.passed - length // _MICROSECOND
        for month in range(place.month, place.month - _MONTHS_AHEAD, -1):
            if wanted >= 0:
                # The first instant after it at which it is open for a microsecond more, less that.
                more = self._when(month, wanted + 1)
                return more - _MICROSECOND
            wanted += _month(self, month - 1)[-1]
        return None

    def _when(self, month: int, wanted: int) -> datetime:
        """Return the first instant at which so many microseconds of a month were open."""
        in_month = _month(self, month)
        # The last of its days that begins with less.
        index = bisect_right(in_month, wanted - 1) - 1
        left = (wanted - in_month[index]) * _MICROSECOND
        for opens, closes in _open_on(self, first_day_of(month) + index):
            if left <= closes - opens:
                return opens + left
            left -= closes - opens
        raise AssertionError("the month has less business time than its days")


class _Place(NamedTuple):
    """Where in its month an instant lies."""

    month: int
    passed: int
    """Microseconds that were open since the month began."""

    @classmethod
    def of(cls, calendar: BusinessCalendar, at: datetime) -> "_Place":
        day = _local_day(at, calendar.zone)
        month = month_of(day)
        today = sum((min(closes, at) - opens for opens, closes in _open_on(calendar, day) if opens < at), timedelta(0))
        return cls(month, _month(calendar, month)[day - first_day_of(month)] + today // _MICROSECOND)


# Most queues of a centre have the same calendar, and are asked for the same months and days.
@lru_cache(maxsize=16_384)
def _month(calendar: BusinessCalendar, month: int) -> tuple[int, ...]:
    """Return how many microseconds of a month have been open when each of its days begins, and when it ends."""
    days = range(first_day_of(month), first_day_of(month + 1))
    lengths = (sum((closes - opens for opens, closes in _open_on(calendar, day)), timedelta(0)) for day in days)
    return tuple(accumulate((length // _MICROSECOND for length in lengths), initial=0))


@lru_cache(maxsize=65_536)
def _open_on(calendar: BusinessCalendar, day: int) -> tuple[tuple[datetime, datetime], ...]:
    """Return when it is open on a local day: instants in their order, none of them twice, none of another day."""
    begins, ends = _midnight(day, calendar.zone), _midnight(day + 1, calendar.zone)
    # A span of the day before may run past midnight.
    spans = sorted(span for number in (day - 1, day) for span in _begun_on(calendar, date.fromordinal(number)))
    found: list[tuple[datetime, datetime]] = []
    for opens, closes in spans:
        # What was open already is not open twice.
        span = max(opens, begins, found[-1][1] if found else begins), min(closes, ends)
        if span[0] < span[1]:
            found.append(span)
    return tuple(found)


def _begun_on(calendar: BusinessCalendar, day: date) -> Iterator[tuple[datetime, datetime]]:
    special = next((one.hours for one in calendar.special_days if one.day == day), None)
    if special is not None:
        yield from (span.of(day, calendar.zone) for span in special)
    elif not (calendar.region and day in public_holidays(calendar.region, day.year)):
        hours = _ALL_DAY if calendar.hours is None else calendar.hours
        yield from (span.of(day, calendar.zone) for span in hours if day.weekday() in span.days)


def _local_day(at: datetime, zone: ZoneInfo) -> int:
    """Return the ordinal of the local day that holds an instant: days follow on each other, whatever clocks do."""
    day = at.astimezone(zone).date().toordinal()
    # A clock that is set back at midnight says yesterday's date once more.
    return day + 1 if at >= _midnight(day + 1, zone) else day


def _midnight(day: int, zone: ZoneInfo) -> datetime:
    return start_of_day(day, zone, time(0))


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
