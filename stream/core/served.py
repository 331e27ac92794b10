"""When a queue is served, and who is alerted of it: what policies of several families have in common."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from stream.core.calendar import BusinessCalendar, Hours, SpecialDay

__all__ = ["Served"]


class Served(Struct, frozen=True, kw_only=True):
    """The part of a queue's policy that tells when it is served; the same keys of the policy file set it everywhere."""

    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    day_starts: time = time(0)
    """Local time at which "today" begins."""
    opening_hours: Hours | None = None
    """When the queue is served, by its own time zone; None: always. Outside nobody is alerted of it."""
    public_holidays: str = ""
    """The country, or part of one, on whose public holidays the queue rests; empty: it rests on none."""
    special_days: tuple[SpecialDay, ...] = ()
    """Days on which the queue rests, or has other hours."""
    quiet_hours: Hours | None = None
    """When only what is critical is worth an alert, by its own time zone; None: never."""
    team: str = ""
    """Who is alerted: a label that notifications are routed by."""

    @property
    def calendar(self) -> BusinessCalendar:
        """When the queue is served."""
        return BusinessCalendar(
            zone=self.time_zone,
            hours=self.opening_hours,
            special_days=self.special_days,
            region=self.public_holidays,
        )

    def is_open(self, at: datetime) -> bool:
        """Tell whether the queue is served at the instant *at*."""
        return self.calendar.is_open(at)

    def is_quiet(self, at: datetime) -> bool | None:
        """Tell whether the instant *at* is in the quiet hours; None where there are none."""
        hours = self.quiet_hours
        return None if hours is None else BusinessCalendar(zone=self.time_zone, hours=hours).is_open(at)
