"""What a queue promises, and how it is judged: thresholds, formula, target, time zone, limits, hours.

Policies are looked up by tenant, queue and channel; rules are patterns, later ones win.
"""

from datetime import datetime, time, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct, field
from msgspec.structs import replace

from stream.core.calendar import Hours, within
from stream.core.cloudevents import Channel
from stream.core.windows import minute_of

__all__ = ["DEFAULT_POLICIES", "Changes", "Formula", "Policies", "Policy", "Rule"]


@lru_cache
def _in_ms(length: timedelta) -> int:
    """Return whole milliseconds: the same number object each time, since every segment keeps those of its policy."""
    return length // timedelta(milliseconds=1)


class Formula(StrEnum):
    """
    The service-level formulas in production; `stream.families.contacts.service_level` computes them.

    The letters are this project's; who uses which is told in `docs/metrics.md`.
    """

    ANSWERED_ONLY = "A"
    ALL_ABANDONS_HURT = "B"
    SHORT_ABANDONS_EXCLUDED = "C"
    ABANDONS_IN_TARGET_EXCLUDED = "D"
    ABANDONS_IN_TARGET_MET = "E"
    SHORT_ABANDONS_MET = "F"
    FLOW_OUTS_HURT = "G"
    REMOVED_FROM_QUEUE = "H"


class Policy(Struct, frozen=True, kw_only=True):
    """How one queue and channel is judged. Lengths are timedeltas, ratios 0 to 1."""

    formula: Formula = Formula.SHORT_ABANDONS_EXCLUDED
    threshold: timedelta = timedelta(seconds=20)
    """A wait of at most this meets the service level."""
    short_abandon: timedelta = timedelta(seconds=5)
    """An abandon after a wait of at most this is short."""
    target: float = 0.80
    """The share of contacts that should be met."""
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    day_starts: time = time(0)
    """Local time at which "today" begins."""
    ghost_after: timedelta = timedelta(hours=4)
    """An open contact older than this will never end: it is expired."""
    inferred_grace: timedelta = timedelta(seconds=10)
    """How long, in the time of the events, a counter waits for the report of what is only inferred from others."""

    minimum_volume: int = 20
    """So many contacts must be decided (or tried, for blocking) in a window before somebody is alerted of a ratio."""
    longest_wait_limit: timedelta = timedelta(minutes=10)
    """Somebody is alerted when a contact waits longer."""
    abandonment_limit: float = 0.20
    """Somebody is alerted when a larger share abandons, short abandons left out."""
    blocking_limit: float = 0.10
    """Somebody is alerted when a larger share of the attempts does not get into the queue."""
    opening_hours: Hours | None = None
    """When the queue is served, by its own time zone; None: always. Outside nobody is alerted of it."""
    quiet_hours: Hours | None = None
    """When only what is critical is worth an alert, by its own time zone; None: never."""
    team: str = ""
    """Who is alerted: a label that notifications are routed by."""

    def is_open(self, at: datetime) -> bool:
        """Tell whether the queue is served at the instant *at*, to the minute."""
        return self.opening_hours is None or within(self.opening_hours, self.time_zone, minute_of(at))

    def is_quiet(self, at: datetime) -> bool | None:
        """Tell whether the instant *at* is in the quiet hours, to the minute; None where there are none."""
        return None if self.quiet_hours is None else within(self.quiet_hours, self.time_zone, minute_of(at))

    @property
    def threshold_ms(self) -> int:
        """The threshold in whole milliseconds."""
        return _in_ms(self.threshold)

    @property
    def short_abandon_ms(self) -> int:
        """The short-abandon limit in whole milliseconds."""
        return _in_ms(self.short_abandon)


class Changes(Struct, frozen=True, kw_only=True):
    """What a rule changes; None leaves what earlier rules said."""

    formula: Formula | None = None
    threshold: timedelta | None = None
    short_abandon: timedelta | None = None
    target: float | None = None
    time_zone: ZoneInfo | None = None
    day_starts: time | None = None
    ghost_after: timedelta | None = None
    inferred_grace: timedelta | None = None
    minimum_volume: int | None = None
    longest_wait_limit: timedelta | None = None
    abandonment_limit: float | None = None
    blocking_limit: float | None = None
    opening_hours: Hours | None = None
    quiet_hours: Hours | None = None
    team: str | None = None

    def applied_to(self, policy: Policy) -> Policy:
        """Return *policy* with these changes."""
        changed = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        return replace(policy, **changed)


class Rule(Struct, frozen=True, kw_only=True):
    """Changes for every tenant, queue and channel that the patterns (`*`, `?`, `[ab]`) match."""

    tenant: str = "*"
    queue: str = "*"
    channel: str = "*"
    changes: Changes

    def matches(self, tenant: str, queue: str, channel: str) -> bool:
        """Tell whether this rule speaks of that queue and channel."""
        return (
            fnmatchcase(tenant, self.tenant) and fnmatchcase(queue, self.queue) and fnmatchcase(channel, self.channel)
        )


class Policies(Struct, frozen=True, kw_only=True):
    """All rules of an installation, in the order of the file."""

    rules: tuple[Rule, ...] = ()

    def of(self, tenant: str, queue: str, channel: Channel) -> Policy:
        """Return the policy of a queue and channel: the defaults, changed by every matching rule in turn."""
        policy = Policy()
        for rule in self.rules:
            if rule.matches(tenant, queue, channel):
                policy = rule.changes.applied_to(policy)
        return policy


DEFAULT_POLICIES = Policies(
    rules=(
        # Digital contacts may be open, and wait, for days without anybody having forgotten them.
        *(
            Rule(
                channel=channel,
                changes=Changes(ghost_after=timedelta(days=14), longest_wait_limit=timedelta(days=2)),
            )
            for channel in ("email", "social", "task")
        ),
        *(
            Rule(
                channel=channel,
                changes=Changes(ghost_after=timedelta(hours=24), longest_wait_limit=timedelta(hours=4)),
            )
            for channel in ("messaging", "sms")
        ),
    )
)
"""What holds where no policy file says otherwise."""
