"""How fast a source may post: a bucket of events that fills with time. Told the time."""

from msgspec import Struct

__all__ = ["EventRate"]

BURST_SECONDS = 10
"""So long a source may save up what it does not use."""


class EventRate(Struct):
    """
    What one source has left.

    A batch is let in as soon as anything is left, however large it is, and paid for afterwards: else one that is larger
    than the bucket would never be let in.
    """

    per_second: float
    left: float
    at: float

    @classmethod
    def full(cls, per_second: float, at: float) -> "EventRate":
        """Return a bucket that nobody has used."""
        return cls(per_second, per_second * BURST_SECONDS, at)

    def wait(self, at: float) -> float:
        """Return the seconds after which something is left again; 0 if something is."""
        self.left = min(self.per_second * BURST_SECONDS, self.left + (at - self.at) * self.per_second)
        self.at = at
        return 0.0 if self.left >= 1 else (1 - self.left) / self.per_second

    def spend(self, events: int) -> None:
        """Pay for *events*."""
        self.left -= events
