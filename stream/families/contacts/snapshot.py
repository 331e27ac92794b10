"""What the board says of a queue at an instant. Metrics, live board and replay read the same snapshots."""

from datetime import timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from stream.core.cloudevents import Channel, Instant
from stream.core.counted import Counted
from stream.core.windows import ALL
from stream.families.contacts.rules import Policy
from stream.families.contacts.tally import Tally

__all__ = ["QUEUE", "QueueSnapshot"]

QUEUE: Final = ("tenant", "queue", "channel")
"""The labels of a queue."""


class QueueSnapshot(Struct, frozen=True, kw_only=True):
    """One queue and channel at the instant of the board."""

    tenant: str
    queue: str
    channel: Channel
    policy: Policy
    waiting: int
    """Open cases: contacts waiting for an answer now, ghosts left out."""
    longest_wait: timedelta | None
    """How long the contact at the head of the queue has waited; None when nobody waits."""
    oldest_enqueued_at: Instant | None
    """When that contact entered, so that a page can let the figure tick; None when nobody waits."""
    waiting_past_threshold: int
    """Of those waiting, how many can no longer be answered within the threshold."""
    talking: int
    wrapping_up: int
    callbacks_waiting: int
    """Callbacks promised, and neither connected nor given up."""
    counted: Counted
    """In each window and ever, as a packed `Tally`: ghosts up to this instant are in it."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is of."""
        return self.tenant, self.queue, self.channel

    @property
    def windows(self) -> dict[str, Tally]:
        """What each window has counted, by name; one without any event is an empty tally."""
        return {name: self.counted.window(name, Tally) for name in self.counted.windows if name != ALL}

    @property
    def total(self) -> Tally:
        """All there ever was."""
        return self.counted.window(ALL, Tally)

    @property
    def shown(self) -> Tally:
        """What counters show: they never go down."""
        return Tally.unpack(self.counted.shown)

    @property
    def taken_back(self) -> Tally:
        """What counters once showed and a later event corrected."""
        return Tally.unpack(self.counted.taken_back) if self.counted.taken_back else Tally()

    @property
    def uncounted(self) -> Tally:
        """Of all there ever was, what counters do not show yet."""
        return Tally.unpack(self.counted.uncounted) if self.counted.uncounted else Tally()

    def __add__(self, other: "QueueSnapshot") -> "QueueSnapshot":
        """Return both as one: only the queue that stands for all beyond the limit has parts on several partitions."""
        waits = [wait for wait in (self.longest_wait, other.longest_wait) if wait is not None]
        oldest = [at for at in (self.oldest_enqueued_at, other.oldest_enqueued_at) if at is not None]
        return replace(
            self,
            waiting=self.waiting + other.waiting,
            longest_wait=max(waits, default=None),
            oldest_enqueued_at=min(oldest, default=None),
            waiting_past_threshold=self.waiting_past_threshold + other.waiting_past_threshold,
            talking=self.talking + other.talking,
            wrapping_up=self.wrapping_up + other.wrapping_up,
            callbacks_waiting=self.callbacks_waiting + other.callbacks_waiting,
            counted=self.counted + other.counted,
        )
