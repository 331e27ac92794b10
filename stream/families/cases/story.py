"""What follows from the timeline of a case: what it counts for, how it stands, and what one more report changes."""

from array import array
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from stream.families.cases.timeline import Step

__all__ = ["LENGTHS", "CaseFact", "Change", "Changes", "Standing", "Story", "story_of"]

CaseFact = tuple[str, int, int, int]
"""
Something that a case counts for: what, when, for which of the case's queues, and a number.

What is a field of `CaseTally`. Times are ms since 1970. The number is the time since when it lasted (`LENGTHS`), or how
many it counts for, mostly 1.
"""

LENGTHS: Final = frozenset({"first_responses", "next_responses", "first_resolutions", "full_resolutions"})
"""What has a length."""


_LAST_OPENING: Final = int(Step.OPENED_BY_US)

_STAY: Final = frozenset({"resolved", "first_resolutions"})
"""What a solution counts for that stays when the case is opened again: it was solved then."""

_NORMAL: Final = 1
"""The place of the ordinary priority among `Priority`."""


class Standing(Struct, frozen=True, gc=False):
    """How an open case stands. Times are ms since 1970."""

    place: int
    """Of the queue that it is in."""
    status: int
    priority: int
    opened_at: int
    waiting_since: int
    """Since when the customer waits for an answer; -1: it is not our turn."""
    answered_before: bool
    """Whether the customer has had an answer already."""


class Story(Struct, gc=False):
    """What follows from a timeline."""

    facts: list[CaseFact]
    standing: Standing | None
    """None: it is not open."""
    opened_in: int = -1
    """The place in which it came in; -1: nobody has reported that, and nothing counts."""
    place: int = 0
    """The place in which it is, or was last."""


def story_of(timeline: bytes) -> Story:
    """Return what a timeline tells; nothing as long as nobody has reported how the case came in."""
    return _story_by(_read(timeline))


def _read(timeline: bytes) -> "_Reader | None":
    entries = array("q", timeline)
    for entry in entries:
        if entry >> 8 & 0xFF <= _LAST_OPENING:
            reader = _Reader(entry)
            reader.read(entries)
            return reader
    return None


def _story_by(reader: "_Reader | None") -> Story:
    if reader is None:
        return Story([], None)
    # What is deleted never was a request: all it counted for goes, and nothing that is reported meanwhile counts.
    facts = reader.facts + reader.solution if reader.deleted is None else [reader.deleted]
    return Story(facts, reader.standing, reader.opened_in, reader.place)


class Change(Struct, gc=False):
    """What has become of a case by reports that were added."""

    opened_before: int
    """The place in which it came in by what was known before; -1: nobody had reported that."""
    opened_in: int
    place: int
    was: Standing | None
    now: Standing | None
    gone: list[CaseFact]
    """What does not count any more."""
    new: list[CaseFact]


class Changes:
    """
    Tells what reports change.

    How far the timelines of late have been read is kept, for nearly every report comes in its order, soon after the one
    before: then it alone is read.
    """

    def __init__(self, *, kept: int = 2000) -> None:
        self._kept = kept
        self._readers: dict[bytes, _Reader] = {}
        """By all that they have read, the latest last: so none is ever out of date."""

    def between(self, before: bytes, after: bytes) -> Change:
        """Return what has come to count, and what does not any more, now that there are more reports."""
        reader = self._readers.pop(before, None)
        if not after.startswith(before):
            reader = None
        elif reader is None:
            reader = _read(before)
        if reader is not None:
            change = _read_on(reader, before, after)
        else:
            reader = _read(after)
            change = _compared(story_of(before), _story_by(reader))
        if reader is not None:
            if len(self._readers) >= self._kept:
                del self._readers[next(iter(self._readers))]
            self._readers[after] = reader
        return change


def _compared(was: Story, now: Story) -> Change:
    gone, new = facts_changed(was.facts, now.facts)
    return Change(was.opened_in, now.opened_in, now.place, was.standing, now.standing, gone, new)


def _read_on(reader: "_Reader", before: bytes, after: bytes) -> Change:
    was, deleted, solution = reader.standing, reader.deleted, reader.solution
    reader.facts = []
    reader.read(array("q", after[len(before) :]))
    new, gone = reader.facts, list[CaseFact]()
    if reader.deleted != deleted:
        gone, new = facts_changed(story_of(before).facts, story_of(after).facts)
    elif deleted is not None:
        new = []  # nothing that is reported of it counts
    elif reader.solution is not solution:
        gone, new = facts_changed(solution, new + reader.solution)
    return Change(reader.opened_in, reader.opened_in, reader.place, was, reader.standing, gone, new)


def facts_changed(before: list[CaseFact], after: list[CaseFact]) -> tuple[list[CaseFact], list[CaseFact]]:
    """Return which facts have gone, and which are new; a fact may be there several times."""
    if not before or not after:
        return before, after
    more = Counter(after)
    more.subtract(before)
    new = [fact for fact, number in more.items() for _ in range(number)]
    return [fact for fact, number in more.items() for _ in range(-number)], new


class _Reader:
    """Reads one timeline. Whole numbers and few calls: this is most of what a fold of cases does."""

    __slots__ = (
        *("answered", "asked", "asked_again_at", "assigned_at", "deleted", "ended", "facts", "opened_at", "opened_in"),
        *(
            "place",
            "priority",
            "responded",
            "resolved",
            "solution",
            "solved_before",
            "standing",
            "status",
            "waiting_since",
        ),
    )

    def __init__(self, opening: int) -> None:
        self.opened_at, self.opened_in = opening >> 16, opening & 0xFF
        self.place, self.assigned_at = self.opened_in, self.opened_at
        self.facts: list[CaseFact] = [
            ("opened", self.opened_at, self.place, 1),
            ("assigned", self.opened_at, self.place, 1),
        ]
        self.waiting_since = self.asked_again_at = -1
        self.status = self.asked = self.answered = self.ended = 0
        self.priority = _NORMAL
        self.responded = self.resolved = self.solved_before = False
        self.solution: list[CaseFact] = []
        """What the solution that stands counts for: it goes when the case turns out to be none, or not to be solved."""
        self.deleted: CaseFact | None = None
        self.standing: Standing | None = None
        """How it stands after the last reading."""

    def read(self, entries: "array[int]") -> None:
        """Learn from some reports, those that follow on each other."""
        for entry in entries:
            _TELLS[entry >> 8 & 0xFF](self, entry >> 16, entry & 0xFF)
        if self.deleted is not None or self.resolved or self.ended:
            self.standing = None
            return
        self.standing = Standing(
            self.place, self.status, self.priority, self.opened_at, self.waiting_since, self.responded
        )

    def opened_by_customer(self, at: int, _: int) -> None:
        # The clock of the form may be behind the others: who was answered by then does not wait again.
        if at == self.opened_at and self.waiting_since < 0 and not (self.responded or self.resolved or self.ended):
            self.waiting_since = at

    def opened_by_us(self, at: int, detail: int) -> None:
        pass  # whoever wrote first does not wait for an answer

    def split(self, at: int, _: int) -> None:
        self.facts.append(("split", at, self.place, 1))

    def came_to(self, at: int, place: int) -> None:
        if place != self.place:
            self.facts.append(("reassigned", at, self.place, 1))
            self.facts.append(("assigned", at, place, 1))
            self.place, self.assigned_at = place, at

    def prioritised(self, _: int, priority: int) -> None:
        self.priority = priority

    def changed(self, _: int, status: int) -> None:
        self.status = status

    def was_asked(self, at: int, _: int) -> None:
        self.asked += 1
        self.facts.append(("received", at, self.place, 1))
        if self.resolved or self.ended:
            # Thanks, or another question: the system says which, by opening the case again.
            if self.asked_again_at < 0:
                self.asked_again_at = at
        elif self.waiting_since < 0:
            self.waiting_since = at

    def was_answered(self, at: int, _: int) -> None:
        self.answered += 1
        self.asked_again_at = -1  # whoever was answered after the solution does not wait, either
        self.facts.append(("sent", at, self.place, 1))
        if self.waiting_since >= 0:
            what = "next_responses" if self.responded else "first_responses"
            self.facts.append((what, at, self.place, self.waiting_since))
            self.responded, self.waiting_since = True, -1

    def automatic(self, at: int, _: int) -> None:
        self.facts.append(("automatic", at, self.place, 1))

    def was_resolved(self, at: int, _: int) -> None:
        if self.resolved or self.ended:
            return
        # The clock of whoever reports the opening may be ahead of the others.
        place, since = self.place, min(self.opened_at, at)
        self.resolved, self.waiting_since, self.asked_again_at = True, -1, -1
        self.solution = [("resolved", at, place, 1)]
        if not self.solved_before:
            self.solution.append(("first_resolutions", at, place, since))
            self.solved_before = True
        self.solution += [
            ("full_resolutions", at, place, since),
            ("messages", at, place, self.asked + self.answered),
            ("assigned_resolved", self.assigned_at, place, 1),
        ]
        if self.answered == 1:
            self.solution.append(("one_touch", at, place, 1))

    def was_reopened(self, at: int, _: int) -> None:
        if self.deleted is not None:
            self.deleted = None  # it was a request after all, and stands as if nobody had deleted it
        elif (self.resolved or self.ended) and self.ended != Step.MERGED:
            self.waiting_since = self.asked_again_at if self.asked_again_at >= 0 else at
            self.facts += [fact for fact in self.solution if fact[0] in _STAY]
            self.facts.append(("reopened", at, self.place, 1))
            self.resolved, self.ended, self.asked_again_at, self.solution = False, 0, -1, []

    def was_closed(self, at: int, _: int) -> None:
        # Where nobody says that it is solved, closing it does.
        self.was_resolved(at, 0)
        self.ended = self.ended or Step.CLOSED

    def was_merged(self, at: int, _: int) -> None:
        if self.ended != Step.MERGED:
            # It goes on elsewhere, so closing it has solved nothing: systems tell that too, before or after.
            self.ended, self.waiting_since, self.solution = Step.MERGED, -1, []
            self.facts.append(("merged", at, self.place, 1))

    def was_deleted(self, at: int, _: int) -> None:
        self.deleted = self.deleted or ("deleted", at, self.place, 1)

    def was_spam(self, at: int, _: int) -> None:
        # Spam is deleted, too, which systems tell before or after: it is spam since the first of them.
        first = self.deleted or ("deleted", at, self.place, 1)
        self.deleted = ("spam", *first[1:])


_BY_KIND: Final[dict[Step, Callable[[_Reader, int, int], None]]] = {
    Step.OPENED_BY_CUSTOMER: _Reader.opened_by_customer,
    Step.OPENED_BY_US: _Reader.opened_by_us,
    Step.SPLIT: _Reader.split,
    Step.ASSIGNED: _Reader.came_to,
    Step.PRIORITY: _Reader.prioritised,
    Step.STATUS: _Reader.changed,
    Step.ASKED: _Reader.was_asked,
    Step.ANSWERED: _Reader.was_answered,
    Step.AUTOMATIC: _Reader.automatic,
    Step.RESOLVED: _Reader.was_resolved,
    Step.REOPENED: _Reader.was_reopened,
    Step.CLOSED: _Reader.was_closed,
    Step.MERGED: _Reader.was_merged,
    Step.DELETED: _Reader.was_deleted,
    Step.SPAM: _Reader.was_spam,
}

_TELLS: Final = {int(kind): tells for kind, tells in _BY_KIND.items()}
"""By plain numbers: members of an enum would be hashed by Python code."""
