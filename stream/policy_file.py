"""Reads queue policies from a TOML file; every mistake is named by its line or key, all of them at once.

[defaults]
target = 0.80

[[queue]]
name = "sales-*"            # patterns; tenant and channel may be given, too
channel = "voice"
threshold_seconds = 20
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo

from stream.core.calendar import EVERY_DAY, Hours, Span
from stream.core.cloudevents import Channel
from stream.core.limits import DUPLICATE_WINDOW
from stream.core.policies import DEFAULT_POLICIES, Changes, Formula, Policies, Rule
from stream.errors import SettingsError

__all__ = ["KEYS", "load_policies", "parse_policies"]

_PATTERNS: Final = {"name": "queue", "tenant": "tenant", "channel": "channel"}
_MAX_SECONDS: Final = 366 * 24 * 3600
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOURS: Final = 'must be hours such as ["Mon-Fri 08:00-20:00", "Sat 22:00-02:00"] or ["00:00-24:00"]'
_SPAN: Final = re.compile(r"(?:([A-Z][a-z]{2})(?:-([A-Z][a-z]{2}))? )?([0-9]{2}:[0-9]{2})-([0-9]{2}:[0-9]{2})")
_TEAM: Final = re.compile(r"[\w.-]{1,64}")


def load_policies(path: Path | None) -> Policies:
    """Return the policies of a file, on top of the defaults; None is no file. Raises SettingsError."""
    if path is None:
        return DEFAULT_POLICIES
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise SettingsError(f"the policy file {path} cannot be read: {failure}") from failure
    return parse_policies(text, str(path))


def parse_policies(text: str, name: str) -> Policies:
    """Return the policies that *text* describes; *name* is the file for messages. Raises SettingsError."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise SettingsError(f"{name}: {failure}") from failure
    except (ValueError, RecursionError) as failure:  # what tomllib does not name: Python's own limits
        raise SettingsError(f"{name}: a number has too many digits, or tables are nested too deeply") from failure
    mistakes: list[str] = []
    rules = list(_rules(document, mistakes))
    if mistakes:
        raise SettingsError("\n".join(f"{name}: {mistake}" for mistake in mistakes))
    return Policies(rules=(*DEFAULT_POLICIES.rules, *rules))


def _rules(document: Mapping[str, Any], mistakes: list[str]) -> Iterator[Rule]:
    unknown = sorted(document.keys() - {"defaults", "queue"})
    mistakes.extend(f"{key} is unknown; there are [defaults] and [[queue]]" for key in unknown)
    defaults = document.get("defaults", {})
    if isinstance(defaults, dict):
        yield Rule(changes=_changes(defaults, "defaults", mistakes))
    else:
        mistakes.append("defaults must be a table: [defaults]")
    queues = document.get("queue", [])
    if not isinstance(queues, list):
        mistakes.append("queue must be a list of tables: [[queue]]")
        return
    for number, table in enumerate(queues, start=1):
        place = f"queue {number}"
        if not isinstance(table, dict):
            mistakes.append(f"{place} must be a table: [[queue]]")
            continue
        patterns = {field: _pattern(table, key, place, mistakes) for key, field in _PATTERNS.items()}
        settings = {key: value for key, value in table.items() if key not in _PATTERNS}
        yield Rule(**patterns, changes=_changes(settings, place, mistakes))


def _pattern(table: Mapping[str, Any], key: str, place: str, mistakes: list[str]) -> str:
    pattern = table.get(key, "*")
    if not isinstance(pattern, str) or not pattern:
        mistakes.append(f'{place}: {key} must be a text such as "sales-*"')
        return "*"
    if key == "channel" and not set(pattern) & set("*?[") and pattern not in get_args(Channel):
        mistakes.append(f"{place}: channel must be one of {', '.join(get_args(Channel))}, or a pattern")
    return pattern


def _changes(table: Mapping[str, Any], place: str, mistakes: list[str]) -> Changes:
    changed: dict[str, Any] = {}
    for key, value in table.items():
        if key not in KEYS:
            close = get_close_matches(key, KEYS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(KEYS)}"
            mistakes.append(f"{place}: {key} is unknown; {hint}")
            continue
        field, convert = KEYS[key]
        try:
            changed[field] = convert(value)
        except ValueError as failure:
            mistakes.append(f"{place}: {key} {failure}")
    return Changes(**changed)


def _formula(value: object) -> Formula:
    if not isinstance(value, str) or value not in set(Formula):
        raise ValueError(f"must be one of {', '.join(Formula)}; docs/metrics.md tells who uses which")
    return Formula(value)


def _seconds(value: object) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_SECONDS:
        raise ValueError(f"must be a number of seconds from 0 to {_MAX_SECONDS}")
    return timedelta(milliseconds=round(value * 1000))


def _some_seconds(value: object) -> timedelta:
    length = _seconds(value)
    if not length:
        raise ValueError("must be more than 0 seconds")
    return length


def _grace(value: object) -> timedelta:
    length = _seconds(value)
    if length > DUPLICATE_WINDOW:
        raise ValueError(f"must be at most {DUPLICATE_WINDOW // timedelta(seconds=1)} seconds")
    return length


def _ratio(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError("must be a ratio between 0 and 1, such as 0.80")
    return float(value)


def _zone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(value))
    except (KeyError, ValueError, OSError):
        raise ValueError('must be a time zone such as "Europe/Ljubljana"') from None


def _clock(value: object) -> time:
    try:
        parsed = value if isinstance(value, time) else time.fromisoformat(str(value))
    except ValueError:
        raise ValueError('must be a time of day such as "06:00"') from None
    if parsed.tzinfo is not None or parsed.second or parsed.microsecond:
        raise ValueError('must be a local time of whole minutes, such as "06:00"')
    return parsed


def _volume(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise ValueError("must be a number of contacts from 1 to 1000000")
    return value


def _hours(value: object) -> Hours:
    spans = value if isinstance(value, list) else [value]
    if not spans:
        raise ValueError(_HOURS)
    return tuple(_span(span) for span in spans)


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
    return frozenset((begins + day) % 7 for day in range((ends - begins) % 7 + 1))


def _team(value: object) -> str:
    if not isinstance(value, str) or not _TEAM.fullmatch(value):
        raise ValueError('must be a short name such as "claims-team": letters, digits, _ . and -')
    return value


KEYS: Final[Mapping[str, tuple[str, Callable[[object], Any]]]] = {
    "formula": ("formula", _formula),
    "threshold_seconds": ("threshold", _seconds),
    "short_abandon_seconds": ("short_abandon", _seconds),
    "target": ("target", _ratio),
    "time_zone": ("time_zone", _zone),
    "day_starts": ("day_starts", _clock),
    "ghost_after_seconds": ("ghost_after", _some_seconds),
    "inferred_grace_seconds": ("inferred_grace", _grace),
    "minimum_volume": ("minimum_volume", _volume),
    "longest_wait_limit_seconds": ("longest_wait_limit", _some_seconds),
    "abandonment_limit": ("abandonment_limit", _ratio),
    "blocking_limit": ("blocking_limit", _ratio),
    "opening_hours": ("opening_hours", _hours),
    "quiet_hours": ("quiet_hours", _hours),
    "team": ("team", _team),
}
"""By key: the field of `Changes`, and how to read its value."""
