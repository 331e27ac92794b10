"""The parts of one request, such as a list of documents: each is told by itself, and one of no use spoils no other."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from msgspec import MsgspecError

from stream.core.cloudevents import Event
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location
from stream.sources.source import Received
from stream.sources.unquoted import unquoted

__all__ = ["UnusablePart", "told_by_each"]

T = TypeVar("T")


class UnusablePart(Exception):
    """A part cannot be used: *reason* is a stable code, and *detail* a sentence without the part's content."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def told_by_each(
    parts: Iterable[T | UnusablePart],
    tell: Callable[[T, Location], Iterable[Event]],
    request: Received,
    intake: Intake,
) -> Iterator[Event]:
    """Yield the events of each part. *tell* counts it, or raises UnusablePart, msgspec's errors, or OverflowError."""
    # A query may hold what is not for a log.
    path = request.url.partition("?")[0]
    number = 0
    for number, part in enumerate(parts, start=1):
        place = Location(path, 1, number - 1)
        try:
            if isinstance(part, UnusablePart):
                raise part
            yield from tell(part, place)
        except UnusablePart as problem:
            intake.refuse(BadLine(place, problem.reason, problem.detail))
        # What msgspec says names a field.
        except MsgspecError as failure:
            intake.refuse(BadLine(place, "invalid_field", unquoted(failure)))
        # Some seconds behind the last day of all years, or in UTC before the first.
        except OverflowError:
            intake.refuse(BadLine(place, "not_an_instant", "a time is out of all years"))
    if not number:
        intake.ignore("empty")
    # The request itself is counted where it is answered.
    intake.read += max(number - 1, 0)
