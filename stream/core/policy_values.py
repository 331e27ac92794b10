"""How the values of a policy file are read: each function takes what TOML gave, and says what it should have been."""

import re
from datetime import date, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from stream.core.calendar import EVERY_DAY, Hours, Span, SpecialDay
from stream.core.public_holidays import public_holidays

__all__ = [
    "any_seconds",
    "clock",
    "dispositions",
    "hours",
    "ratio",
    "region",
    "some_seconds",
    "special_days",
    "team",
    "volume",
    "whole",
    "zone",
]

_A_YEAR: Final = 2026
"""To see whether anything is known of a region: of nearly all of them years from 1950 on are known."""
_MAX_SECONDS: Final = 366 * 24 * 3600
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS: Final = 'must be hours such as ["Mon-Fri 08:00-20:00", "Sat 22:00-02:00"] or ["00:00-24:00"]'
_SPAN: Final = re.compile(r"(?:([A-Z][a-z]{2})(?:-([A-Z][a-z]{2}))? )?([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})")
_DAYS_OF_THEIR_OWN: Final = 'must be days such as { 2026-12-24 = "08:00-12:00", 2026-12-31 = "closed" }'
_REGION: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_TEAM: Final = re.compile(r"[\w.-]{1,64}")


def any_seconds(value: object) -> timedelta:
    """Read a length: a number of seconds from 0 to a year. Raises ValueError."""
    # In Python true is a number, too; in a policy file it is a mistake.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_SECONDS:
        raise ValueError(f"must be a number of seconds from 0 to {_MAX_SECONDS}")
    return timedelta(milliseconds=round(value * 1000))


def some_seconds(value: object) -> timedelta:
    """Read a length of more than 0 seconds. Raises ValueError."""
    length = any_seconds(value)
    if not length:
        raise ValueError("must be more than 0 seconds")
    return length


def ratio(value: object) -> float:
    """Read a ratio between 0 and 1, both excluded. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError("must be a ratio between 0 and 1, such as 0.80")
    return float(value)


def zone(value: object) -> ZoneInfo:
    """Read the name of a time zone. Raises ValueError."""
    try:
        return ZoneInfo(str(value))
    # A name may be that of a folder of zones (`Europe`), hence OSError.
    except (KeyError, ValueError, OSError):
        raise ValueError('must be a time zone such as "Europe/Ljubljana"') from None


def clock(value: object) -> time:
    """Read a local time of day, in whole minutes. Raises ValueError."""
    try:
        parsed = value if isinstance(value, time) else time.fromisoformat(str(value))
    except ValueError:
        raise ValueError('must be a time of day such as "06:00"') from None
    # Days are made of minutes: one that began within a minute would share it with the day before.
    if parsed.tzinfo is not None or parsed.second or parsed.microsecond:
        raise ValueError('must be a local time of whole minutes, such as "06:00"')
    return parsed


def volume(value: object) -> int:
    """Read a number of contacts. Raises ValueError."""
    return whole(value, 1_000_000, "a number of contacts")


def whole(value: object, most: int, what: str = "a number") -> int:
    """Read a whole number from 1 to the *most*; *what* it is, is said of another. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ValueError(f"must be {what} from 1 to {most}")
    return value


def dispositions(value: object) -> frozenset[str]:
    """Read a list of dispositions with which contacts end. Raises ValueError."""
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise ValueError('must be a list of dispositions, such as ["solved", "call back"]')
    return frozenset(value)


def hours(value: object) -> Hours:
    """Read hours of the week, one span or a list. Raises ValueError."""
    spans = value if isinstance(value, list) else [value]
    if not spans:
        raise ValueError(_HOURS)
    return tuple(_span(span) for span in spans)


def special_days(value: object) -> tuple[SpecialDay, ...]:
    """Read a table of days that are closed, or have hours of their own, by date. Raises ValueError."""
    if not isinstance(value, dict):
        raise ValueError(_DAYS_OF_THEIR_OWN)  # noqa: TRY004  # all that read values of a policy raise this
    return tuple(_special_day(day, told) for day, told in value.items())


def _special_day(day: str, told: object) -> SpecialDay:
    try:
        return SpecialDay(date.fromisoformat(day), () if told == "closed" else _times(told))
    except ValueError:
        raise ValueError(f"{_DAYS_OF_THEIR_OWN}, not {day}") from None


def _times(told: object) -> Hours:
    """Read hours that name no day of the week."""
    found = hours(told)
    if any(span.days != EVERY_DAY for span in found):
        raise ValueError(_DAYS_OF_THEIR_OWN)
    return found


def region(value: object) -> str:
    """Read a country, or a part of one, whose public holidays are known. Raises ValueError."""
    if not isinstance(value, str) or not _REGION.fullmatch(value):
        raise ValueError('must be a country such as "SI", or a part of one such as "DE-BY"')
    public_holidays(value, _A_YEAR)
    return value


def _span(value: object) -> Span:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(_HOURS)
    first, last, opens, closes = found.groups()
    try:
        hours = time.fromisoformat(opens), time(0) if closes == "24:00" else time.fromisoformat(closes)
    except ValueError:
        raise ValueError(_HOURS) from None
    if opens == closes:
        raise ValueError("must not close when it opens; the whole day is 00:00-24:00")
    return Span(_days(first, last), *hours)


def _days(first: str | None, last: str | None) -> frozenset[int]:
    if first is None:
        return EVERY_DAY
    if first not in _DAYS or (last or first) not in _DAYS:
        raise ValueError(f"must name days as {', '.join(_DAYS)}")
    begins, ends = _DAYS.index(first), _DAYS.index(last or first)
    # The week goes round: Sat-Mon are three days.
    return frozenset((begins + day) % 7 for day in range((ends - begins) % 7 + 1))


def switch(value: object) -> bool:
    """Read true or false. Raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004  # all that read values of a policy raise this
    return value


def team(value: object) -> str:
    """Read a short name. Raises ValueError."""
    if not isinstance(value, str) or not _TEAM.fullmatch(value):
        raise ValueError('must be a short name such as "claims-team": letters, digits, _ . and -')
    return value
