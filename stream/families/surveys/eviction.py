"""What goes from the tables of surveys: what no window reaches, what is over, and what was silent for long."""

from collections.abc import Iterable
from typing import Final

from stream.core.counts import CountsRow
from stream.core.rows import Rows
from stream.core.windowed import Scope
from stream.families.surveys.counts import SurveyCounts
from stream.families.surveys.queues import RatedQueues, SurveyKey, counting_queue
from stream.families.surveys.rated import LIFETIME, Part, RatedQueue
from stream.families.surveys.rules import KEPT_DAYS
from stream.families.surveys.survey import RatedPlace, SurveyRow

__all__ = ["Eviction", "SurveyCountsKey"]

SurveyCountsKey = tuple[str, str, str, str, str, Scope, int]
"""Tenant, queue, channel, group, agent, scope, and the number of the day (0 for the total)."""

_ALL_DAYS: Final = 2**40
"""Later than every day."""


class Eviction:
    """
    Removes rows, each only when a replay would bring none of its events, or all of them.

    A survey must never be left without the counts that it is part of: these go when it is durable that it is gone.
    """

    def __init__(
        self,
        counts: Rows[SurveyCountsKey, CountsRow[SurveyCounts]],
        surveys: Rows[SurveyKey, SurveyRow],
        *,
        keep_silent: bool,
    ) -> None:
        self._counts, self._surveys = counts, surveys
        self._keep_silent = keep_silent
        self.committed = 0
        """All below this offset is durable and will not be replayed."""

    def sweep(self, queue: RatedQueue, applied_to: int) -> None:
        """Forget, once a day, days that nothing reaches any more, and surveys that are over."""
        queue.swept_on = queue.day
        for part in queue.parts.values():
            self._remove(part, part.counts.forget_outdated())
        self._forget_rows(queue, queue.day - KEPT_DAYS)
        if not self._keep_silent:
            for place, part in list(queue.parts.items()):
                if part.counts.watermark < queue.watermark - LIFETIME:
                    self._forget_part(queue, place, part, applied_to)

    def forget_silent(self, queues: RatedQueues, applied_to: int) -> None:
        """Forget the queues that are silent: first their surveys, and when that is durable the rest."""
        for queue in queues.silent():
            self._forget_rows(queue, _ALL_DAYS)
            # Only a commit tells that the tombstones of its surveys are in the changelog.
            if queue.emptied_at is not None and queue.emptied_at < self.committed:
                for part in queue.parts.values():
                    self._remove(part, part.counts.numbers())
                queues.forget(queue)
            elif queue.surveys.is_empty:
                queue.emptied_at = applied_to

    def _forget_part(self, queue: RatedQueue, place: RatedPlace, part: Part, applied_to: int) -> None:
        if part.silent_at is None:
            part.silent_at = applied_to
        elif part.silent_at < self.committed:
            self._remove(part, part.counts.numbers())
            queue.forget_part(place)

    def _remove(self, part: Part, numbers: Iterable[tuple[Scope, int]]) -> None:
        for scope, number in numbers:
            self._counts.remove((*part.key, scope, number))

    def _forget_rows(self, queue: RatedQueue, before: int) -> None:
        def heard_on(key: SurveyKey) -> int | None:
            row = self._surveys.get(key)
            # One that was found to be of another queue is kept as long as that wants it.
            return None if row is None or counting_queue(key, row) != queue.key else row.heard_on

        for key in queue.surveys.forget(before, heard_on, self._may_go):
            self._surveys.remove(key)

    def _may_go(self, key: SurveyKey) -> bool:
        # True in `changed` is a row of which the changelog knows nothing: after a crash all of its events come again.
        return self._surveys.changed.get(key, False) or self._surveys[key].applied_offset < self.committed
