"""
Reads policies from the text of a TOML file; every mistake is named by its line or key, all of them at once.

[defaults]
target = 0.80

[[queue]]
name = "sales-*"            # patterns; tenant and channel may be given, too
channel = "voice"
threshold_seconds = 20
"""

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

from stream.core.cloudevents import Channel
from stream.core.policies import Policies, PolicyKey, Rule
from stream.errors import SettingsError

__all__ = ["parse_policies"]

_PATTERNS: Final = {"name": "queue", "tenant": "tenant", "channel": "channel"}


def parse_policies(text: str, name: str, keys: Mapping[str, PolicyKey]) -> Policies:
    """
    Return the policies that *text* describes.

    *name* is the file for messages, *keys* are those of all families. Raises SettingsError, which names every mistake.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise SettingsError(f"{name}: {failure}") from failure
    except (ValueError, RecursionError) as failure:  # what tomllib does not name: Python's own limits
        raise SettingsError(f"{name}: a number has too many digits, or tables are nested too deeply") from failure
    mistakes: list[str] = []
    rules = list(_rules(document, keys, mistakes))
    if mistakes:
        raise SettingsError("\n".join(f"{name}: {mistake}" for mistake in mistakes))
    return Policies(rules=tuple(rules))


def _rules(document: Mapping[str, Any], keys: Mapping[str, PolicyKey], mistakes: list[str]) -> Iterator[Rule]:
    unknown = sorted(document.keys() - {"defaults", "queue"})
    mistakes.extend(f"{key} is unknown; there are [defaults] and [[queue]]" for key in unknown)
    defaults = document.get("defaults", {})
    if isinstance(defaults, dict):
        yield Rule(changes=_changes(defaults, "defaults", keys, mistakes))
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
        yield Rule(**patterns, changes=_changes(settings, place, keys, mistakes))


def _pattern(table: Mapping[str, Any], key: str, place: str, mistakes: list[str]) -> str:
    pattern = table.get(key, "*")
    if not isinstance(pattern, str) or not pattern:
        mistakes.append(f'{place}: {key} must be a text such as "sales-*"')
        return "*"
    # Only a plain name can be checked: what a pattern is meant to match nobody knows.
    if key == "channel" and not set(pattern) & set("*?[") and pattern not in get_args(Channel):
        mistakes.append(f"{place}: channel must be one of {', '.join(get_args(Channel))}, or a pattern")
    return pattern


def _changes(
    table: Mapping[str, Any], place: str, keys: Mapping[str, PolicyKey], mistakes: list[str]
) -> Mapping[str, Any]:
    changed: dict[str, Any] = {}
    for key, value in table.items():
        if key not in keys:
            close = get_close_matches(key, keys, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(keys)}"
            mistakes.append(f"{place}: {key} is unknown; {hint}")
            continue
        field, read = keys[key]
        try:
            changed[field] = read(value)
        except ValueError as failure:
            mistakes.append(f"{place}: {key} {failure}")
    return changed
