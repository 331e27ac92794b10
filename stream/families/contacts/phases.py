"""Where the episodes of a queue are: in a phase that goes on, or finished, until nothing can be asked of them.

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

__all__ = ["FINISHED", "EpisodeKey", "EpisodeRow", "PhaseIndex", "Place"]

EpisodeKey = tuple[str, str, Channel, str, int]
"""Tenant, queue, channel, contact and which visit (from 1); or callback and 0."""

EpisodeRow = Segment | Callback

Place = Phase | Literal["finished"]
"""Where a segment is."""

FINISHED: Final = "finished"


class PhaseIndex:
    """
    Each episode of a queue in one place, with the instant since when, nearly in the order of time.

    An episode finishes at the *watermark* of its queue, not at its own time: the repeats of a source
    that is behind are behind as well.
    """

    def __init__(self) -> None:
        self.waiting: dict[EpisodeKey, datetime] = {}
        self.talking: dict[EpisodeKey, datetime] = {}
        self.wrapping_up: dict[EpisodeKey, datetime] = {}
        self.callbacks: dict[EpisodeKey, datetime] = {}
        self.finished: dict[EpisodeKey, datetime] = {}
        """Episodes nothing more is expected of; the oldest first."""
        self._of_segments: dict[Place, dict[EpisodeKey, datetime]] = {
            "waiting": self.waiting,
            "talking": self.talking,
            "wrapping_up": self.wrapping_up,
            "finished": self.finished,
        }
        self._open = (self.waiting, self.talking, self.wrapping_up, self.callbacks)

    @property
    def any_open(self) -> bool:
        """Whether something more is expected of any episode."""
        return any(self._open)

    def move(
        self, key: EpisodeKey, phase: tuple[Phase, datetime] | None, was_in: Place | None, watermark: datetime
    ) -> bool:
        """
        Put a segment where its *phase* says, out of where it *was_in* (None: it is new).

        Tells whether *key* was put in anew: it moved, or went to the end of the finished once more.
        """
        place, since = phase or (FINISHED, watermark)
        anew = was_in != place or place == FINISHED
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
        if key in self.finished:
            self._finish(key, watermark)

    def _finish(self, key: EpisodeKey, watermark: datetime) -> None:
        self.finished.pop(key, None)
        self.finished[key] = watermark

    def load(self, key: EpisodeKey, episode: EpisodeRow) -> None:
        """Take an episode over from the changelog; `loaded` follows the last one."""
        if isinstance(episode, Segment):
            place, since = episode.phase or (FINISHED, EPOCH)
            self._of_segments[place][key] = since
        elif (asked_at := episode.waiting_since) is not None:
            self.callbacks[key] = asked_at
        else:
            self.finished[key] = EPOCH

    def loaded(self, watermark: datetime) -> None:
        """Bring what was loaded into the order of time. Repeats of finished episodes may still come, all of them."""
        for phase in self._open:
            in_order = sorted(phase.items(), key=itemgetter(1))
            phase.clear()
            phase.update(in_order)
        self.finished.update(dict.fromkeys(self.finished, watermark))

    def take_forgotten(
        self, finished_until: datetime, open_until: datetime, may_go: Callable[[EpisodeKey], bool]
    ) -> Iterator[EpisodeKey]:
        """Forget, and yield, what finished, or began and is open, until then; each only when it *may go*."""
        yield from _oldest(self.finished, finished_until, may_go)
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
