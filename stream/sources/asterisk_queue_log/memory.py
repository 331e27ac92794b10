"""What a queue_log must be remembered by: visits of calls to queues, lines that look alike, the order in a second.

Pure and bounded; it is saved with the position in the file, so that a restart goes on as if there had
been none. Lines that are read again find the visit that they made the first time.
"""

from hashlib import blake2b
from itertools import islice
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from stream.sources.asterisk_queue_log.records import Record

__all__ = ["CALLS_KEPT", "Call", "Memory", "Visit", "VisitState"]

CALLS_KEPT = 10_000
"""More calls than a PBX has in the hours that count; the one that was silent longest goes first."""

SILENT_MICROS = 4 * 3600 * 1_000_000
"""A call of which nothing was heard for so long is forgotten; Asterisk keeps its id only while it lives."""

VISITS_KEPT = 32
ALIKE_KEPT = 1024

SECONDS_KEPT = 16
"""Of lines about agents: processes write one log, so that its seconds are a little out of order."""

LAST_PLACE = 999
"""Of a line within its second: a later line takes the same, so that none runs into the next second."""

LAST_SEQ: Final = 1_000_000
"""What an event may have as its `enqueue_seq`."""

Seen = Annotated[int, Meta(ge=1)]

VisitState = Literal["waiting", "talking", "over", "blocked"]


class Visit(Struct, array_like=True):
    """One visit of a call to a queue: a segment."""

    seq: Annotated[int, Meta(ge=1, le=LAST_SEQ)]
    queue: str
    since: int
    made_by: str
    """Id of the event that began it; empty where its begin was not seen."""
    state: VisitState


class Call(Struct, array_like=True):
    """The visits of one call, oldest first, and when it was last heard of."""

    heard: int
    visits: list[Visit]


class Memory(Struct):
    """Calls by id, least recently heard of first; and how often each of the latest lines was seen."""

    calls: dict[str, Call] = field(default_factory=dict)
    alike: dict[str, Seen] = field(default_factory=dict)
    reports: dict[int, Seen] = field(default_factory=dict)
    """How many lines about agents each of the latest seconds has had."""

    def identify(self, record: Record) -> str:
        """
        Return what names this line: the same each time the file is read from its begin, and no other line's.

        No parameter goes into it: from a hash of a phone number the number can be guessed. Lines that
        differ in nothing else are told apart by their order.
        """
        facts = (str(record.micros), record.call or "", record.queue or "", record.member or "", record.verb)
        name = blake2b("\0".join(facts).encode(), digest_size=16).hexdigest()
        count = self.alike.pop(name, 0)
        self.alike[name] = count + 1
        if len(self.alike) > ALIKE_KEPT:
            del self.alike[next(iter(self.alike))]
        return name if count == 0 else f"{name}-{count}"

    def place_in_second(self, record: Record) -> int:
        """
        Return how many lines about agents came before this one in its second.

        The log has whole seconds, and of two reports of one agent the later stands: lines of one second are told
        apart by their order. A line that knows its time more closely keeps it.
        """
        second, fraction = divmod(record.micros, 1_000_000)
        if fraction:
            return 0
        place = self.reports.get(second, 0)
        self.reports[second] = place + 1
        if len(self.reports) > SECONDS_KEPT:
            del self.reports[next(iter(self.reports))]
        return min(place, LAST_PLACE)

    def open(self, record: Record, made_by: str, state: VisitState) -> Visit:
        """Begin a visit with this line, or return the one that it began when it was read before."""
        assert record.queue is not None
        call = self._call(record)
        for known in call.visits:
            if made_by and known.made_by == made_by:
                return known
        seq = min(call.visits[-1].seq + 1, LAST_SEQ) if call.visits else 1
        visit = Visit(seq, record.queue, record.micros, made_by, state)
        call.visits.append(visit)
        del call.visits[:-VISITS_KEPT]
        return visit

    def visit(self, record: Record) -> Visit:
        """Return the visit that this line speaks of; one whose begin was not seen begins here."""
        return self.known(record) or self.open(record, "", "waiting")

    def known(self, record: Record) -> Visit | None:
        """Return the visit that this line speaks of, if its begin, or anything of it, was seen."""
        for visit in reversed(self._call(record).visits):
            if visit.queue == record.queue and visit.since <= record.micros and visit.state != "blocked":
                return visit
        return None

    def waiting(self, until: int) -> list[tuple[str, Visit]]:
        """Return the visits that wait, of those that began at or before *until*."""
        return [
            (name, visit)
            for name, call in self.calls.items()
            for visit in call.visits
            if visit.state == "waiting" and visit.since <= until
        ]

    def left_behind(self, record: Record) -> list[Visit]:
        """Return the visits of this call that still seem to wait, though it is somewhere else now."""
        assert record.call is not None
        call = self.calls.get(record.call)
        return [visit for visit in call.visits if visit.state == "waiting"] if call else []

    def is_first(self, record: Record, visit: Visit) -> bool:
        """Tell whether the call got into no queue before this visit."""
        return not any(earlier.seq < visit.seq and earlier.state != "blocked" for earlier in self._call(record).visits)

    def _call(self, record: Record) -> Call:
        assert record.call is not None
        self._forget(record.micros)
        call = self.calls.pop(record.call, None) or Call(record.micros, [])
        call.heard = record.micros
        self.calls[record.call] = call
        return call

    def _forget(self, now: int) -> None:
        """Forget at most two calls at a time, so that one line with a wrong clock does not clear everything."""
        for name in list(islice(self.calls, 2)) if len(self.calls) > CALLS_KEPT else self._silent(now):
            del self.calls[name]

    def _silent(self, now: int) -> list[str]:
        oldest = next(iter(self.calls.items()), None)
        return [oldest[0]] if oldest and oldest[1].heard < now - SILENT_MICROS else []
