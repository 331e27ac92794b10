"""Which minute, hour, day, month, quarter and window an instant belongs to. Half open: `[start, start + length)`.

Minutes and hours are counted from 1970 (UTC); longer units are those of a queue's own time zone and reset time.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

__all__ = [
    "ALL",
    "DEFAULT_WINDOW",
    "EARLIER",
    "EPOCH",
    "LIVE_WINDOWS",
    "MINUTE",
    "MONTH",
    "MONTHS_OF_QUARTER",
    "QUARTER",
    "SPANS",
    "TODAY",
    "UNITS",
    "WINDOWS",
    "Unit",
    "Window",
    "day_of",
    "earlier",
    "first_day_of",
    "hour_of",
    "minute_of",
    "month_of",
    "ms_of",
    "quarter_of",
    "start_of",
    "start_of_day",
]

EPOCH: Final = datetime.fromtimestamp(0, UTC)

MINUTE: Final = timedelta(minutes=1)

Unit = Literal["minute", "hour", "day", "month", "quarter"]
"""What counts are kept by."""

UNITS: Final[tuple[Unit, ...]] = ("minute", "hour", "day", "month", "quarter")
"""The shortest first."""


class Window(Struct, frozen=True):
    """The running unit, and so many whole ones before it: a window is never shorter than its name."""

    unit: Unit
    before: int = 0
    ago: int = 0
    """So many units earlier: 0 has the running one, what is longer ago has only whole ones."""

    @property
    def oldest(self) -> int:
        """How many units before the running one its first is."""
        return self.ago + self.before


TODAY: Final = "today"
"""The window since the queue's day began."""

MONTH: Final = "month"
"""The window since the queue's calendar month began, with the first of its days."""

QUARTER: Final = "quarter"
"""The window since the queue's calendar quarter began: January to March, and so on."""

WINDOWS: Final[Mapping[str, Window]] = {
    "5m": Window("minute", 5),
    "15m": Window("minute", 15),
    "30m": Window("minute", 30),
    "1h": Window("minute", 60),
    "24h": Window("hour", 24),
    TODAY: Window("day"),
    "7d": Window("day", 7),
    "30d": Window("day", 30),
    "90d": Window("day", 90),
    MONTH: Window("month"),
    QUARTER: Window("quarter"),
}
"""Every window that a family may have, by name; of each unit the shortest first."""

EARLIER: Final[Mapping[str, Window]] = {
    f"{name} before": Window(window.unit, window.before, ago=window.before + 1) for name, window in WINDOWS.items()
}
"""The period before each window, of as many units: nobody can choose it, figures are compared with it."""

SPANS: Final[Mapping[str, Window]] = {**WINDOWS, **EARLIER}
"""Both."""

LIVE_WINDOWS: Final = ("5m", "15m", "30m", "1h", TODAY)
"""The windows of what lasts for minutes."""

DEFAULT_WINDOW: Final = "30m"

MONTHS_OF_QUARTER: Final = 3

ALL: Final = "all"
"""The window over everything there ever was."""


def earlier(window: str) -> str:
    """Return the name of the period before a window."""
    return f"{window} before"


def minute_of(at: datetime) -> int:
    """Return the number, since 1970, of the minute that holds the instant *at*."""
    since = at - EPOCH  # half the price of dividing timedeltas
    return since.days * 1440 + since.seconds // 60


def ms_of(at: datetime) -> int:
    """Return the milliseconds since 1970 of an instant."""
    since = at - EPOCH  # a third of the price of dividing timedeltas
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def hour_of(minute: int) -> int:
    """Return the number, since 1970, of the hour that holds a minute."""
    return minute // 60


def start_of(minute: int) -> datetime:
    """Return the first instant of a minute."""
    return datetime.fromtimestamp(minute * 60, UTC)


# Time zones are slow, and nearly all events ask for the same minutes.
@lru_cache(maxsize=65_536)
def day_of(minute: int, zone: ZoneInfo, day_starts: time) -> int:
    """
    Return the ordinal of the local day that holds *minute*, when days begin at the local time *day_starts*.

    All zones of our time are whole minutes from UTC, so a minute never lies in two days. Where it did, before 1972,
    its first instant counts.
    """
    at = start_of(minute)
    day = at.astimezone(zone).date().toordinal()
    return day if at >= start_of_day(day, zone, day_starts) else day - 1


@lru_cache(maxsize=4096)  # what lies ahead is of few days, and all of them are asked for with each event
def start_of_day(day: int, zone: ZoneInfo, day_starts: time) -> datetime:
    """
    Return the first instant of a local day.

    An instant, not the hands of the clock: where it is set back they pass twice.
    """
    return datetime.combine(date.fromordinal(day), day_starts, zone).astimezone(UTC)


def month_of(day: int) -> int:
    """Return the number of the calendar month, since the year 0, that holds the day of an ordinal."""
    of = date.fromordinal(day)
    return of.year * 12 + of.month - 1


def first_day_of(month: int) -> int:
    """Return the ordinal of the first day of a calendar month."""
    return date(month // 12, month % 12 + 1, 1).toordinal()


def quarter_of(day: int) -> int:
    """Return the number of the calendar quarter, since the year 0, that holds the day of an ordinal."""
    return month_of(day) // MONTHS_OF_QUARTER
