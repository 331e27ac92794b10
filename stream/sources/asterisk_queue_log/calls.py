"""Calls and their visits to queues: which visit a line speaks of, also where Asterisk calls it by another name.

Asterisk exchanges the ids of two calls when one is transferred into the place of the other, and takes another id
when it shortens a chain of local channels. Then a line names a call that is not where the line says; but the
line also tells when the wait or the conversation began, and that finds the visit that is meant.
"""

from collections.abc import Callable
from itertools import islice
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from stream.sources.asterisk_queue_log.records import ParsedLine

__all__ = ["CALLS_KEPT", "LAST_SEQ", "Call", "Calls", "Visit", "VisitState"]

CALLS_KEPT = 10_000
"""More calls than a PBX has in the hours that count; the one that was silent longest goes first."""

SILENT_MICROS = 4 * 3600 * 1_000_000
"""A call of which nothing was heard for so long is forgotten; Asterisk keeps its id only while it lives."""

VISITS_KEPT = 32

LAST_SEQ: Final = 1_000_000
"""What an event may have as its `enqueue_seq`."""

WAIT_SLACK = 1_000_000
TALK_SLACK = 2_000_000
"""Asterisk takes the times of a line, of a wait and of a conversation at slightly different moments, in seconds."""

VisitState = Literal["waiting", "talking", "over", "blocked"]
OPEN: Final = frozenset({"waiting", "talking"})


class Visit(Struct, array_like=True):
    """One visit of a call to a queue: a segment. Times are microseconds, 0 where there is none."""

    seq: Annotated[int, Meta(ge=1, le=LAST_SEQ)]
    queue: str
    since: int
    made_by: str
    """Id of the line that began it; empty where its begin was not seen."""
    state: VisitState
    contact: str = ""
    """Subject of its events."""
    agent: str = ""
    answered: int = 0
    ended: int = 0
    held: int = 0
    """How long the caller was on hold."""
    held_since: int = 0
    outbound: bool = False


class Call(Struct, array_like=True):
    """The visits of one call, oldest first, and when it was last heard of."""

    heard: int
    visits: list[Visit]
    last_seq: int = 0


class Calls:
    """All calls by id, least recently heard of first; *contact* makes the subject of events from an id."""

    def __init__(self, calls: dict[str, Call], contact: Callable[[str], str]) -> None:
        self.by_id = calls
        self._contact = contact
        self._open: dict[str, list[tuple[str, Visit]]] = {}
        """Visits that wait or talk, by queue, with the call that they are of now."""
        for name, call in calls.items():
            for visit in call.visits:
                self._place(name, visit)

    def begin(self, record: ParsedLine, made_by: str, state: VisitState, *, since: int | None = None) -> Visit:
        """Begin a visit with this line, or return the one that it began when it was read before."""
        assert record.queue is not None
        assert record.call is not None
        call = self._call(record)
        # After a crash lines are read again: the visit that a line has begun must not begin twice.
        for known in call.visits:
            if made_by and known.made_by == made_by:
                return known
        # Visits may have come over from another call when ids were exchanged: the next number must be above
        # theirs, too.
        call.last_seq = min(max(call.last_seq, *(visit.seq for visit in call.visits), 0) + 1, LAST_SEQ)
        begun = record.micros if since is None else since
        visit = Visit(call.last_seq, record.queue, begun, made_by, state, self._contact(record.call))
        call.visits.append(visit)
        # A call that goes round between queues for hours must not grow without a bound.
        for forgotten in call.visits[:-VISITS_KEPT]:
            self._displace(forgotten)
        del call.visits[:-VISITS_KEPT]
        self._place(record.call, visit)
        return visit

    def waiting(self, record: ParsedLine, waited: int | None) -> Visit:
        """
        Return the visit whose wait this line ends, or one that it ended before; *waited* is what the line tells.

        One that is not known begins here, as long ago as it waited.
        """
        call = self._call(record)
        own = _own(call, record, "waiting")
        # A visit whose begin stands in the log is certain; one that was only inferred may be another call's.
        if own is not None and own.made_by:
            return own
        began = None if waited is None else record.micros - waited
        past = _past(call, record, began)
        # In the very second in which that visit was decided: a second line about the same exit.
        if past is not None and record.micros in {past.answered, past.ended}:
            return past
        moved = None if began is None else self._elsewhere(record, "waiting", began, own)
        return moved or own or past or self.begin(record, "", "waiting", since=began)

    def talking(self, record: ParsedLine, talked: int | None, waited: int | None) -> Visit:
        """Return the visit whose conversation this line ends, as `waiting` does; it may be one that still waits."""
        call = self._call(record)
        own = _own(call, record, "talking")
        # One call may talk to several agents in turn: the line means the conversation with the agent that it
        # names.
        if own is not None and record.member in {own.agent, None}:
            return own
        answered = None if talked is None else record.micros - talked
        past = _past(call, record, answered)
        if past is not None and past.ended == record.micros:
            return past
        moved = None if answered is None else self._elsewhere(record, "talking", answered, None)
        if found := moved or own or _own(call, record, "waiting"):
            return found
        began = None if answered is None else answered - (waited or 0)
        return _past(call, record, began) or self.begin(record, "", "waiting", since=began)

    def rung(self, record: ParsedLine) -> Visit:
        """Return the visit for which it rang; it waits, or has just been answered."""
        return self.known(record) or self.begin(record, "", "waiting")

    def in_conversation(self, record: ParsedLine) -> Visit | None:
        """Return the visit in which this call talks, if it is known to."""
        return _own(self._call(record), record, "talking")

    def known(self, record: ParsedLine) -> Visit | None:
        """Return the visit that this line speaks of, if its begin, or anything of it, was seen."""
        call = self._call(record)
        return _own(call, record, "waiting") or _past(call, record, None)

    def answer(self, visit: Visit, record: ParsedLine) -> None:
        """Note that a conversation began."""
        visit.state, visit.answered, visit.agent = "talking", record.micros, record.member or ""

    def finish(self, visit: Visit, at: int) -> None:
        """Note that a visit is over."""
        self._displace(visit)
        visit.state, visit.ended = "over", at

    def open_until(self, until: int) -> list[Visit]:
        """Return the visits that wait or talk, of those that began at or before *until*."""
        return [
            visit
            for call in self.by_id.values()
            for visit in call.visits
            if visit.state in OPEN and visit.since <= until
        ]

    def left_behind(self, record: ParsedLine) -> list[Visit]:
        """Return the visits of this call that still seem to wait, though it is somewhere else now."""
        call = self.by_id.get(record.call or "")
        return [visit for visit in call.visits if visit.state == "waiting"] if call else []

    def has_just_entered(self, record: ParsedLine) -> bool:
        """Tell whether the call is in this queue since this very instant: it cannot enter twice without an exit."""
        call = self.by_id.get(record.call or "")
        visits = call.visits if call else []
        return any(
            visit.state in OPEN and visit.made_by and visit.queue == record.queue and visit.since == record.micros
            for visit in visits
        )

    def inferred(self, record: ParsedLine) -> Visit | None:
        """Return the visit that this line begins, where its begin was inferred from lines that came before this one."""
        call = self.by_id.get(record.call or "")
        for visit in call.visits if call else []:
            began_then = abs(visit.since - record.micros) <= WAIT_SLACK
            if not visit.made_by and visit.state != "blocked" and visit.queue == record.queue and began_then:
                return visit
        return None

    def is_first(self, record: ParsedLine, visit: Visit) -> bool:
        """Tell whether the call got into no queue before this visit."""
        return not any(earlier.seq < visit.seq and earlier.state != "blocked" for earlier in self._call(record).visits)

    # -- which visit is meant ------------------------------------------------------------------

    def _elsewhere(self, record: ParsedLine, state: VisitState, began: int, own: Visit | None) -> Visit | None:
        """
        Return the visit of another call that did what this line tells, and exchange the two calls' ids.

        *own* is a visit that was only inferred, from a line with the new id: it was this one all the time.
        """
        assert record.call is not None
        slack = WAIT_SLACK if state == "waiting" else TALK_SLACK
        found: list[tuple[int, str, Visit]] = []
        for name, visit in self._open.get(record.queue or "", ()):
            away = abs((visit.since if state == "waiting" else visit.answered) - began)
            same_agent = state == "waiting" or visit.agent == record.member
            if name != record.call and visit.state == state and same_agent and away <= slack:
                found.append((away, name, visit))
        if not found:
            return None
        # The nearest in time. By name where two are as near, so that the log is read alike each time.
        _, name, visit = min(found, key=lambda each: each[:2])
        if own is not None:
            self._displace(own)
            self.by_id[record.call].visits.remove(own)
        self._exchange(record.call, name)
        return visit

    def _exchange(self, one: str, other: str) -> None:
        # Only what is open changes places: of visits that are over everything is told, by the ids that they
        # had.
        visits = {name: [visit for visit in self.by_id[name].visits if visit.state in OPEN] for name in (one, other)}
        for name, to in ((one, other), (other, one)):
            for visit in visits[name]:
                self._displace(visit)
                self.by_id[name].visits.remove(visit)
                self.by_id[to].visits.append(visit)
        for name in (one, other):
            for visit in visits[other if name == one else one]:
                self._place(name, visit)

    # -- bookkeeping ---------------------------------------------------------------------------

    def _place(self, name: str, visit: Visit) -> None:
        if visit.state in OPEN:
            self._open.setdefault(visit.queue, []).append((name, visit))

    def _displace(self, visit: Visit) -> None:
        visits = self._open.get(visit.queue, [])
        visits[:] = [each for each in visits if each[1] is not visit]
        if not visits:
            self._open.pop(visit.queue, None)

    def _call(self, record: ParsedLine) -> Call:
        assert record.call is not None
        self._forget(record.micros)
        # Taken out and put back at the end, so that the first of the dict is the one that was silent longest.
        call = self.by_id.pop(record.call, None) or Call(record.micros, [])
        call.heard = record.micros
        self.by_id[record.call] = call
        return call

    def _forget(self, now: int) -> None:
        """Forget at most two calls at a time, so that one line with a wrong clock does not clear everything."""
        for name in list(islice(self.by_id, 2)) if len(self.by_id) > CALLS_KEPT else self._silent(now):
            for visit in self.by_id.pop(name).visits:
                self._displace(visit)

    def _silent(self, now: int) -> list[str]:
        oldest = next(iter(self.by_id.items()), None)
        return [oldest[0]] if oldest and oldest[1].heard < now - SILENT_MICROS else []


def _own(call: Call, record: ParsedLine, state: VisitState) -> Visit | None:
    for visit in reversed(call.visits):
        if visit.state == state and visit.queue == record.queue and visit.since <= record.micros:
            return visit
    return None


def _past(call: Call, record: ParsedLine, began: int | None) -> Visit | None:
    """Return the visit that a call has made to this queue, unless what began at *began* came after it."""
    for visit in reversed(call.visits):
        if visit.queue == record.queue and visit.since <= record.micros and visit.state != "blocked":
            done = visit.ended or visit.answered
            return None if began is not None and done and began > done else visit
    return None
