"""What segments count for that nobody has reported: windows show it at once, counters after a grace.

A report may overtake another one: then what the first says of the second is right within seconds, and
what a counter has shown until then would be counted for ever. See docs/decisions/0009-*.md.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from stream.core.windows import minute_of
from stream.families.contacts.contributions import Abandoned, Answered, Contribution, Dequeued, Entered, Handled
from stream.families.contacts.outcome import contributions_of
from stream.families.contacts.phases import EpisodeKey
from stream.families.contacts.segment import UNKNOWN, Fact, Segment
from stream.families.contacts.tally import Tally

__all__ = ["Inferred", "inferred_of"]

Inference = tuple[Contribution, datetime]
"""What is counted, and the time of the report that it follows from."""

_OUTCOMES = (Answered, Abandoned, Dequeued)


class Inferred:
    """What segments of one queue count for that no report of its own tells, while counters may not show it yet."""

    __slots__ = ("_grace", "_of")

    def __init__(self, grace: timedelta) -> None:
        self._grace = grace
        """How long after the report that it follows from, in the time of the queue's events."""
        self._of: dict[EpisodeKey, tuple[Inference, ...]] = {}

    def note(self, key: EpisodeKey, segment: Segment, counts_for: Sequence[Contribution]) -> None:
        """Take note of what a segment counts for by now."""
        if not _tells_all(segment) and (found := inferred_of(segment, counts_for)):
            self._of[key] = found
        elif self._of:
            self._of.pop(key, None)

    def load(self, key: EpisodeKey, segment: Segment, watermark: datetime) -> None:
        """Take note of what a segment from the changelog counts for, as far as counters may still wait for it."""
        # The newest report is asked for last: of a million segments nearly all are judged at a glance.
        if segment.limits is not None and not _tells_all(segment) and segment.newest > watermark - self._grace:
            self.note(key, segment, contributions_of(segment))

    def of(self, key: EpisodeKey, watermark: datetime) -> Sequence[Contribution]:
        """Return what a segment counts for and no counter has shown yet."""
        if key not in self._of:
            return ()
        return [one for one, since in self._of[key] if since + self._grace > watermark]

    def hidden(self, until: datetime, first_minute: int) -> Tally | None:
        """
        Return the sum of what counters may not show yet at a watermark, and forget the rest; None: nothing.

        Totals count from the *first_minute* on: what is earlier no counter will ever show.
        """
        # A reading may forget here: what counters show at this watermark they show at every later one.
        self.forget(until)
        if not self._of:
            return None
        tally = Tally()
        for found in self._of.values():
            for one, since in found:
                if since + self._grace > until and minute_of(one.at) >= first_minute:
                    one.count([tally], 1)
        return tally

    def forget(self, until: datetime) -> None:
        """Forget segments of which counters show everything at a watermark."""
        horizon = until - self._grace
        over = [key for key, found in self._of.items() if max(since for _, since in found) <= horizon]
        for key in over:
            del self._of[key]


def inferred_of(segment: Segment, counts_for: Sequence[Contribution]) -> tuple[Inference, ...]:
    """
    Return what a segment counts for that no report of its own tells; nothing of most segments.

    An entry that nobody told follows from the outcome, an outcome from the end of the conversation, or is
    incomplete while nobody knows when the wait began; a handle time may be computed from the times of other reports.
    """
    told = segment.answered is not None or segment.abandoned is not None or segment.dequeued is not None
    outcome = next((one for one in counts_for if isinstance(one, _OUTCOMES)), None)
    found: list[Inference] = []
    if outcome is not None:
        since = outcome.at if told or segment.end is None else segment.end.at
        if not told or outcome.wait_ms == UNKNOWN:
            found.append((outcome, since))
        if segment.enqueued is None:
            found += [(one, since) for one in counts_for if isinstance(one, Entered)]
    if not _tells_lengths(segment, segment.end):
        found += [(one, one.at) for one in counts_for if isinstance(one, Handled)]
    return tuple(found)


def _tells_all(segment: Segment) -> bool:
    """Tell at a glance, of most segments, that nothing is inferred."""
    if segment.enqueued is None or segment.seldom is not None:
        return False
    if segment.answered is None:
        return segment.ended is None and (segment.abandoned is not None or segment.dequeued is not None)
    return _tells_lengths(segment, segment.ended)


def _tells_lengths(segment: Segment, end: Fact | None) -> bool:
    """Tell whether the reports of a conversation's end, if there are any, tell its lengths themselves."""
    if end is None:
        return True
    wrapup = segment.wrapup_ended
    return end.ms >= 0 and end.hold_ms >= 0 and (wrapup is None or wrapup.ms >= 0)
