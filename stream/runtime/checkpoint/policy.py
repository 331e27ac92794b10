"""When a checkpoint is due: often for a worker that keeps up, more seldom for one that catches up."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from stream.core.windows import EPOCH
from stream.runtime.checkpoint.partitions import OwnedPartition

__all__ = ["Backlog", "CheckpointPolicy", "CheckpointState"]


@dataclass(frozen=True, slots=True)
class CheckpointPolicy:
    """When a checkpoint is due."""

    interval: timedelta
    """How much is replayed after a crash, at most, and how long a row waits to become durable, the write included."""
    catching_up: int = 5
    """So many times as long while a worker has more to apply than an interval is enough for: fewer rows to write."""
    retry_after: timedelta = timedelta(seconds=1)
    """How long to leave a broker alone that failed."""


@dataclass(slots=True)
class CheckpointState:
    """Knows when the next checkpoint is due; is told the time."""

    policy: CheckpointPolicy
    next_at: datetime
    put_off_until: datetime = EPOCH
    """How long a worker that catches up may wait."""

    def wait(self, now: datetime) -> timedelta:
        """Return how long until the next checkpoint is due."""
        # The clock may be set back, by NTP or an operator: that must not put checkpoints off.
        longest = max(self.policy.interval, self.policy.retry_after)
        return min(max(self.next_at - now, timedelta(0)), longest)

    def finished(self, started: datetime, now: datetime) -> None:
        """Note a success: the next one is to end within an interval of this start, but a slow broker gets a rest."""
        interval, took = self.policy.interval, max(now - started, timedelta(0))
        # A row waits for the next start and for the write: so the time that a write takes is taken off the wait.
        self.next_at = max(started + interval * 0.9 - took, now + interval / 10)
        self.put_off_until = started + interval * self.policy.catching_up

    def put_off(self, now: datetime) -> bool:
        """Put off for a moment the checkpoint of a worker that is behind; False if that has been long enough."""
        longest = now + self.policy.interval * self.policy.catching_up  # for a clock that was set back
        if not now < self.put_off_until <= longest:
            return False
        self.next_at = min(now + self.policy.interval / 10, self.put_off_until)
        return True

    def failed(self, now: datetime) -> None:
        """Note a failure."""
        self.next_at = now + self.policy.retry_after


class Backlog:
    """What waits to be applied in some partitions; to be asked again and again."""

    def __init__(self, partitions: Iterable[OwnedPartition]) -> None:
        self._partitions = partitions
        self._applied_to = 0
        self._was_long = False

    def is_long(self) -> bool:
        """Tell whether, now or at the previous call, the backlog exceeded what was just applied."""
        live = [owned for owned in self._partitions if owned.live]
        before, self._applied_to = self._applied_to, sum(owned.position for owned in live)
        was_long, self._was_long = self._was_long, sum(owned.feed.lag for owned in live) > self._applied_to - before
        return self._was_long or was_long  # so that the checkpoint at the end of the backlog covers all of it
