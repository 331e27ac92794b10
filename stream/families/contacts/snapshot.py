"""What the board says of a queue at an instant. Metrics, live board and replay read the same snapshots."""

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from stream.core.cloudevents import Channel, Instant
from stream.core.windows import SHOWN_WINDOWS
from stream.families.contacts.rules import Policy
from stream.families.contacts.tally import Tally

__all__ = ["QueueSnapshot"]

_WINDOWS = frozenset(SHOWN_WINDOWS)
_NOTHING = Tally()


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
    windows: Mapping[str, Tally]
    """By name, in the order of `windows.WINDOWS`; a window without any event is an empty tally."""
    total: Tally
    """All there ever was, ghosts up to this instant included."""
    taken_back: Tally
    """What counters once showed and a later event corrected; `total` has it subtracted already."""
    uncounted: Tally | None = None
    """
    Of `total`, what counters do not show yet; None: nothing.

    What nobody reported and whose report may be under way, and ghosts by the clock that no event has shown to be some.
    """

    def __post_init__(self) -> None:
        """Refuse what another process tells with other windows: whoever reads them counts on all of them."""
        if self.windows.keys() != _WINDOWS:
            raise ValueError("other windows than those of this version")

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is of."""
        return self.tenant, self.queue, self.channel

    @property
    def shown(self) -> Tally:
        """What counters show: they never go down."""
        # Most queues never had a correction, and the sum of two tallies is what a page spends most on.
        shown = self.total if self.taken_back == _NOTHING else self.total + self.taken_back
        return shown if self.uncounted is None else shown - self.uncounted

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
            windows={name: tally + other.windows[name] for name, tally in self.windows.items()},
            total=self.total + other.total,
            taken_back=self.taken_back + other.taken_back,
            uncounted=_both(self.uncounted, other.uncounted),
        )


def _both(one: Tally | None, other: Tally | None) -> Tally | None:
    return one + other if one and other else one or other
