"""Instants as texts, of systems that tell them in several ways."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from stream.core.windows import EPOCH
from stream.errors import SettingsError

__all__ = ["instant_in", "named_zone", "stamp_of"]

_LAST_SECOND: Final = 4_133_980_800
"""The year 2101. What is more was told in milliseconds."""

_MOST_DIGITS: Final = len("4133980800000")

_EARLIEST, _LATEST = 1971, 2101


def instant_in(text: str) -> datetime | None:
    """Return the time that a text tells: seconds or milliseconds since 1970, or ISO 8601; None for anything else."""
    try:
        if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
            unit = timedelta(seconds=1) if int(text) < _LAST_SECOND else timedelta(milliseconds=1)
            told = EPOCH + int(text) * unit
        else:
            told = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    # What is out of these years is a clock that was never set.
    return told.astimezone(UTC) if told.tzinfo is not None and _EARLIEST <= told.year < _LATEST else None


def named_zone(name: str, option: str) -> ZoneInfo:
    """Return the zone that a person names by an option; raises SettingsError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as failure:
        raise SettingsError(f"{option}: no such zone; names look like Europe/Berlin, or UTC") from failure


def stamp_of(at: datetime) -> str:
    """Return an instant as the part of an id that tells it from all others."""
    return f"{at:%Y%m%dT%H%M%S.%f}"
