"""JSON objects of Amazon Connect: contact events, contact records and agent events spell the same keys differently."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from stream.sources.requests.parts import UnusablePart

__all__ = ["AwsObject"]

_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Amazon Connect writes an instant of 1970 where something has not happened yet."""

_LONGEST_SECONDS: Final = 31 * 24 * 3600


class AwsObject:
    """One object, whatever the case of its keys; of what is no object, nothing."""

    def __init__(self, value: object) -> None:
        self._values = {name.lower(): field for name, field in value.items()} if isinstance(value, dict) else {}

    def __bool__(self) -> bool:
        return bool(self._values)

    def __contains__(self, name: str) -> bool:
        return self._values.get(name.lower()) is not None

    def part(self, name: str) -> "AwsObject":
        """Return the object in a field."""
        return AwsObject(self._values.get(name.lower()))

    def parts(self, name: str) -> Iterator["AwsObject"]:
        """Yield the objects in a list."""
        found = self._values.get(name.lower())
        yield from map(AwsObject, found if isinstance(found, list) else [])

    def text(self, name: str) -> str | None:
        """Return a text; None where there is none, or one that no name or id has."""
        found = self._values.get(name.lower())
        return found if isinstance(found, str) and found and found.isprintable() else None

    def required(self, name: str) -> str:
        """Return a text; raises UnusablePart where there is none."""
        found = self.text(name)
        if found is None:
            raise UnusablePart("missing_field", f"the field {name} is missing")
        return found

    def instant(self, name: str) -> datetime | None:
        """Return when something happened, None if it has not; raises UnusablePart for what is no instant."""
        found = self.text(name)
        if found is None:
            return None
        try:
            at = datetime.fromisoformat(found)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise UnusablePart("not_an_instant", f"the field {name} is no instant with a time zone")
        return at if at >= _EARLIEST else None

    def second(self, name: str) -> datetime | None:
        """
        Return the whole second in which something happened, as `instant` does.

        Contact records have whole seconds, and contact events milliseconds: only so both tell the same.
        """
        at = self.instant(name)
        return None if at is None else at.replace(microsecond=0)

    def length(self, name: str) -> timedelta | None:
        """Return a length that is told in seconds; None where there is none."""
        found = self._values.get(name.lower())
        if type(found) is not int or not 0 <= found <= _LONGEST_SECONDS:
            return None
        return timedelta(seconds=found)
