"""How long a family keeps what it counts, in the time of its events."""

from datetime import timedelta

from msgspec import Struct

__all__ = ["Retention"]


class Retention(Struct, frozen=True, kw_only=True):
    """As far back as the windows of a family reach, and what is late may still come; 0: none of the kind."""

    minutes: int = 0
    """Minutes before the running one; sliding windows that are longer are not shown."""
    days: int = 0
    """Local days, with the one that is going on."""
    months: int = 0
    """Calendar months, with the one that is going on."""
    duplicates: timedelta = timedelta(0)
    """The duplicate window: how long what is finished is kept, so that repeats change nothing."""

    @property
    def reach(self) -> timedelta:
        """How long ago the oldest instant that is kept may be, clock changes included."""
        # A local day has 25 hours where the clock is set back, and a month with such a day an hour more.
        minutes, days, months = timedelta(minutes=self.minutes + 1), timedelta(hours=25), timedelta(days=31, hours=1)
        return max(minutes, days * self.days, months * self.months)
