"""How long a family keeps what it counts, in the time of its events."""

from datetime import timedelta

from msgspec import Struct

from stream.core.windows import Unit, Window

__all__ = ["Retention"]


class Retention(Struct, frozen=True, kw_only=True):
    """As far back as the windows of a family reach, and what is late may still come; 0: none of the kind."""

    minutes: int = 0
    """Minutes before the running one."""
    hours: int = 0
    """Hours before the running one."""
    days: int = 0
    """Local days, with the one that is going on."""
    months: int = 0
    """Calendar months, with the one that is going on."""
    quarters: int = 0
    """Calendar quarters, with the one that is going on."""
    duplicates: timedelta = timedelta(0)
    """The duplicate window: how long what is finished is kept, so that repeats change nothing."""

    def keeps(self, window: Window) -> bool:
        """Tell whether all of a window is kept."""
        kept: dict[Unit, int] = {
            "minute": self.minutes,
            "hour": self.hours,
            # Of local units the running one is among those that are counted here.
            "day": self.days - 1,
            "month": self.months - 1,
            "quarter": self.quarters - 1,
        }
        return window.oldest <= kept[window.unit]

    @property
    def surely(self) -> timedelta:
        """How long ago an instant may be and is kept whatever the calendar says."""
        # A local day has 23 hours where the clock is set forward, a month 28 days, and a quarter 90.
        day = timedelta(hours=23)
        units = (timedelta(minutes=1) * (self.minutes - 1), timedelta(hours=1) * (self.hours - 1))
        days = max(self.days - 1, 28 * (self.months - 1), 90 * (self.quarters - 1))
        return max(timedelta(0), *units, day * days)

    @property
    def reach(self) -> timedelta:
        """How long ago the oldest instant that is kept may be, clock changes included."""
        # A local day has 25 hours where the clock is set back, and a month or quarter with such a day an hour more.
        day, month, quarter = timedelta(hours=25), timedelta(days=31, hours=1), timedelta(days=92, hours=1)
        minutes, hours = timedelta(minutes=self.minutes + 1), timedelta(hours=self.hours + bool(self.hours))
        return max(minutes, hours, day * self.days, month * self.months, quarter * self.quarters)
