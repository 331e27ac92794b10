"""Index of segments and callbacks by phase.

Knows keys and instants; what follows for the figures is the queue's (`stream.families.contacts.queue`).
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from operator import itemgetter
from typing import Final, Literal

from stream.core.cloudevents import Channel
from stream.core.windows import EPOCH
from stream.families.contacts.callback import Callback
from stream.families.contacts.segment import Phase, Segment

__all__ = ["ELSEWHERE", "FINISHED", "EpisodeKey", "EpisodeRow", "PhaseIndex", "Place", "over"]

EpisodeKey = tuple[str, str, Channel, str, int]
"""Tenant, queue, channel, contact and which visit (from 1); or callback and 0."""

EpisodeRow = Segment | Callback

Place = Phase | Literal["elsewhere", "finished"]
"""Where a segment is."""

ELSEWHERE: Final = "elsewhere"
"""The visit is over, but the contact goes on: it was handed on, or left the queue, and may yet hang up."""

FINISHED: Final = "finished"


def over(segment: Segment) -> Place:
    """Return where a segment is that is in no phase any more."""
    if segment.ended is not None:
        return FINISHED
    # As far as one knows the contact left alive: one that gave up has hung up.
    return ELSEWHERE if segment.answered or segment.dequeued or segment.transferred else FINISHED


class PhaseIndex:
    """
    Each episode of a queue in one place, with the instant since when, nearly in the order of time.

    A visit is over at the *watermark* of its queue, not at its own time: the repeats of a source
    that is behind are behind as well.
    """

    def __init__(self) -> None:
        self.waiting: dict[EpisodeKey, datetime] = {}
        self.talking: dict[EpisodeKey, datetime] = {}
        self.wrapping_up: dict[EpisodeKey, datetime] = {}
        self.callbacks: dict[EpisodeKey, datetime] = {}
        self.finished: dict[EpisodeKey, datetime] = {}
        """Episodes nothing more is expected of; the oldest first."""
        self.elsewhere: dict[EpisodeKey, datetime] = {}
        """
        Visits that are over, of contacts that go on; the oldest first.

        Kept for longer than the finished: a hang-up that is reported here after an hour must find its visit,
        or it would be taken for the end of another one.
        """
        self._of_segments: dict[Place, dict[EpisodeKey, datetime]] = {
            "waiting": self.waiting,
            "talking": self.talking,
            "wrapping_up": self.wrapping_up,
            "elsewhere": self.elsewhere,
            "finished": self.finished,
        }
        self._open = (self.waiting, self.talking, self.wrapping_up, self.callbacks)

    @property
    def newest_open(self) -> datetime | None:
        """Since when the latest episode goes on of which something more is expected; None if there is none."""
        return max((max(phase.values()) for phase in self._open if phase), default=None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is remembered."""
        return not (any(self._open) or self.finished or self.elsewhere)

    def move(self, key: EpisodeKey, segment: Segment, was_in: Place | None, watermark: datetime) -> bool:
        """
        Put a segment where it is now, out of where it *was_in* (None: it is new).

        Tells whether *key* was put in anew: it moved, or went to the end of those that are over once more.
        """
        # Popped and put in anew where it is over: a dict is in the order of insertion, and the oldest goes first.
        phase = segment.phase
        place, since = phase or (over(segment), watermark)
        anew = was_in != place or phase is None
        if anew and was_in is not None:
            self._of_segments[was_in].pop(key, None)
        self._of_segments[place][key] = since
        return anew

    def place_callback(self, key: EpisodeKey, callback: Callback, watermark: datetime) -> None:
        """Put a callback among those that somebody still waits for, or that are finished."""
        if (since := callback.waiting_since) is not None:
            self.callbacks[key] = since
            self.finished.pop(key, None)
            return
        self.callbacks.pop(key, None)
        self._finish(key, watermark)

    def repeated(self, key: EpisodeKey, watermark: datetime) -> None:
        """Note that an event of an episode came once more: further repeats may follow."""
        for visits in (self.finished, self.elsewhere):
            if visits.pop(key, None):
                visits[key] = watermark

    def _finish(self, key: EpisodeKey, watermark: datetime) -> None:
        self.finished.pop(key, None)
        self.finished[key] = watermark

    def load(self, key: EpisodeKey, episode: EpisodeRow) -> None:
        """Take an episode over from the changelog; `loaded` follows the last one."""
        if isinstance(episode, Segment):
            # When it was over is in no row. `loaded` puts the watermark there: repeats may come until a
            # duplicate window later.
            place, since = episode.phase or (over(episode), EPOCH)
            self._of_segments[place][key] = since
        elif (asked_at := episode.waiting_since) is not None:
            self.callbacks[key] = asked_at
        else:
            self.finished[key] = EPOCH

    def loaded(self, watermark: datetime) -> None:
        """Bring what was loaded into the order of time. Repeats of finished episodes may still come, all of them."""
        # Changelogs are in the order of writing; what is forgotten first must come first.
        for phase in self._open:
            in_order = sorted(phase.items(), key=itemgetter(1))
            phase.clear()
            phase.update(in_order)
        for visits in (self.finished, self.elsewhere):
            visits.update(dict.fromkeys(visits, watermark))

    def forget(
        self,
        finished_until: datetime,
        elsewhere_until: datetime,
        open_until: datetime,
        may_go: Callable[[EpisodeKey], bool],
    ) -> Iterator[EpisodeKey]:
        """Forget, and yield, what was over, or began and is open, until then; each only when it *may go*."""
        yield from _oldest(self.finished, finished_until, may_go)
        yield from _oldest(self.elsewhere, elsewhere_until, may_go)
        for phase in self._open:
            yield from _oldest(phase, open_until, may_go)


def _oldest(
    place: dict[EpisodeKey, datetime], horizon: datetime, may_go: Callable[[EpisodeKey], bool]
) -> list[EpisodeKey]:
    outdated = []
    for key, since in place.items():
        # Dicts keep the order of arrival, which is nearly that of time: what is out of order waits for its turn.
        if since > horizon:
            break
        if may_go(key):
            outdated.append(key)
    for key in outdated:
        del place[key]
    return outdated
