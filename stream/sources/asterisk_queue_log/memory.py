"""What a queue_log must be remembered by: saved with the position, so that a restart goes on as if there were none.

Bounded throughout. Lines that are read again find the visit that they made the first time.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Annotated

from msgspec import Meta, Struct, field

from stream.sources.asterisk_queue_log.calls import Call, Calls
from stream.sources.asterisk_queue_log.members import Member, Members, Wrapup
from stream.sources.asterisk_queue_log.records import ParsedLine
from stream.sources.asterisk_queue_log.rows import Layout

__all__ = ["Memory", "Remembered", "Seen"]

ALIKE_KEPT = 1024
QUEUES_KEPT = 10_000

SECONDS_KEPT = 16
"""Of lines about agents: processes write one log, so that its seconds are a little out of order."""

LAST_PLACE = 999
"""Of a line within its second: a later line takes the same, so that none runs into the next second."""


class Seen(Struct, array_like=True):
    """How often a line was seen, and of when it is."""

    times: Annotated[int, Meta(ge=1)]
    micros: int


class Remembered(Struct):
    """The part that is saved."""

    calls: dict[str, Call] = field(default_factory=dict)
    alike: dict[str, Seen] = field(default_factory=dict)
    """The latest lines, by what names them."""
    reports: dict[int, Annotated[int, Meta(ge=1)]] = field(default_factory=dict)
    """How many lines about agents each of the latest seconds has had."""
    members: dict[str, Member] = field(default_factory=dict)
    wrapups: dict[str, Wrapup] = field(default_factory=dict)
    """By agent."""
    spellings: dict[str, str] = field(default_factory=dict)
    """Names of queues as they were seen first, by the name in small letters."""
    newest: int = 0
    """Time of the newest line."""
    layout: Layout | None = None


class Memory:
    """What the lines before this one have told; *contact* makes the subject of events from a call's id."""

    def __init__(self, remembered: Remembered | None, contact: Callable[[str], str]) -> None:
        self.saved = remembered or Remembered()
        self.calls = Calls(self.saved.calls, contact)
        self.members = Members(self.saved.members)

    def identify(self, record: ParsedLine) -> tuple[str, bool]:
        """
        Return what names this line, and whether it stands in the log twice.

        The name is the same each time the file is read from its begin, and no other line's. No parameter goes into
        it: from a hash of a phone number the number can be guessed. Lines that differ in nothing else are told apart by
        their order while they follow each other; one that comes when the log was further on stands there twice.
        """
        facts = (str(record.micros), record.call or "", record.queue or "", record.member or "", record.verb)
        # No field has a zero byte (control characters are refused): joined by it, fields cannot run into each
        # other.
        name = blake2b("\0".join(facts).encode(), digest_size=16).hexdigest()
        alike = self.saved.alike
        # Taken out, and put back at the end below: the first of the dict is what was seen longest ago.
        seen = alike.pop(name, None)
        # Repeated lines follow each other, or come in a block that the log has had before: then it was further on.
        twice = seen is not None and any(other.micros > record.micros for other in alike.values())
        times = 0 if seen is None else seen.times
        alike[name] = Seen(times if twice else times + 1, record.micros)
        if len(alike) > ALIKE_KEPT:
            del alike[next(iter(alike))]
        # The first keeps the bare name, so that ids of a log that has no such lines never change.
        return (name if times == 0 else f"{name}-{times}"), twice

    def spelled(self, queue: str) -> str:
        """
        Return the one spelling of a queue.

        Asterisk knows queues without regard to case, and logs them as they are configured, or as they were dialled.
        """
        spellings = self.saved.spellings
        known = spellings.setdefault(queue.encode().lower().decode(), queue)  # as Asterisk does: ASCII letters only
        if len(spellings) > QUEUES_KEPT:
            del spellings[next(iter(spellings))]
        return known

    def place_in_second(self, record: ParsedLine) -> int:
        """
        Return how many lines about agents came before this one in its second.

        The log has whole seconds, and of two reports of one agent the later stands: lines of one second are told
        apart by their order. A line that knows its time more closely keeps it.
        """
        second, fraction = divmod(record.micros, 1_000_000)
        # Rows of a database have microseconds: their order is in the time already.
        if fraction:
            return 0
        reports = self.saved.reports
        place = reports.get(second, 0)
        reports[second] = place + 1
        if len(reports) > SECONDS_KEPT:
            del reports[next(iter(reports))]
        return min(place, LAST_PLACE)
