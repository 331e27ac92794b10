"""What a queue promises, and how it is judged: thresholds, formula, target, time zone, limits, hours."""

from datetime import timedelta
from enum import StrEnum
from functools import lru_cache

from stream.core import policy_values as read
from stream.core.policies import PolicyKey, Rule, Rules
from stream.core.served import Served

__all__ = ["RULES", "Formula", "Policy"]


_SHORTEST_DUPLICATES = timedelta(minutes=10)
"""So long a finished segment is kept at least; later, whatever is told of it begins another."""

_LONGEST_DUPLICATES = timedelta(days=31)


@lru_cache
def _in_ms(length: timedelta) -> int:
    """Return whole milliseconds: the same number object each time, since every segment keeps those of its policy."""
    return length // timedelta(milliseconds=1)


class Formula(StrEnum):
    """
    The service-level formulas in production; `stream.families.contacts.service_level` computes them.

    The letters are this project's; who uses which is told in `docs/metrics.md`.
    """

    # ICMI no. 2, Wazo, Asterisk's ServicelevelPerf.
    ANSWERED_ONLY = "A"
    # ICMI no. 3, Genesys with all abandons.
    ALL_ABANDONS_HURT = "B"
    # Genesys without short abandons, Talkdesk, Twilio, RingCentral.
    SHORT_ABANDONS_EXCLUDED = "C"
    # ICMI no. 4, Bright Pattern.
    ABANDONS_IN_TARGET_EXCLUDED = "D"
    # ICMI no. 1, Asterisk's ServicelevelPerf2.
    ABANDONS_IN_TARGET_MET = "E"
    # ICMI no. 5.
    SHORT_ABANDONS_MET = "F"
    # Genesys with flow-outs, VCC with breakouts.
    FLOW_OUTS_HURT = "G"
    # Amazon Connect's service level X.
    REMOVED_FROM_QUEUE = "H"


class Policy(Served, frozen=True, kw_only=True):
    """How one queue and channel is judged. Lengths are timedeltas, ratios 0 to 1."""

    formula: Formula = Formula.SHORT_ABANDONS_EXCLUDED
    threshold: timedelta = timedelta(seconds=20)
    """A wait of at most this meets the service level."""
    short_abandon: timedelta = timedelta(seconds=5)
    """An abandon after a wait of at most this is short."""
    target: float = 0.80
    """The share of contacts that should be met."""
    ghost_after: timedelta = timedelta(hours=4)
    """An open contact older than this will never end: it is expired."""
    duplicate_window: timedelta = _SHORTEST_DUPLICATES
    """How long a finished contact is kept, so that what is told of it again, or anew, is not taken for another one."""
    inferred_grace: timedelta = timedelta(seconds=10)
    """How long, in the time of the events, a counter waits for the report of what is only inferred from others."""

    # From here on what alerts go by; it is shown beside the figures, so that PromQL can compare them.
    minimum_volume: int = 20
    """So many contacts must be decided (or tried, for blocking) in a window before somebody is alerted of a ratio."""
    longest_wait_limit: timedelta = timedelta(minutes=10)
    """Somebody is alerted when a contact waits longer."""
    abandonment_limit: float = 0.20
    """Somebody is alerted when a larger share abandons, short abandons left out."""
    blocking_limit: float = 0.10
    """Somebody is alerted when a larger share of the attempts does not get into the queue."""

    @property
    def threshold_ms(self) -> int:
        """The threshold in whole milliseconds."""
        return _in_ms(self.threshold)

    @property
    def short_abandon_ms(self) -> int:
        """The short-abandon limit in whole milliseconds."""
        return _in_ms(self.short_abandon)


def _formula(value: object) -> Formula:
    if not isinstance(value, str) or value not in set(Formula):
        raise ValueError(f"must be one of {', '.join(Formula)}; docs/metrics.md tells who uses which")
    return Formula(value)


def _grace(value: object) -> timedelta:
    length = read.any_seconds(value)
    if length > _SHORTEST_DUPLICATES:
        raise ValueError(f"must be at most {_SHORTEST_DUPLICATES // timedelta(seconds=1)} seconds")
    return length


def _duplicates(value: object) -> timedelta:
    length = read.some_seconds(value)
    if not _SHORTEST_DUPLICATES <= length <= _LONGEST_DUPLICATES:
        shortest, longest = (limit // timedelta(seconds=1) for limit in (_SHORTEST_DUPLICATES, _LONGEST_DUPLICATES))
        raise ValueError(f"must be from {shortest} to {longest} seconds")
    return length


RULES: Rules[Policy] = Rules(
    policy=Policy,
    keys={
        "formula": PolicyKey("formula", _formula),
        "threshold_seconds": PolicyKey("threshold", read.any_seconds),
        "short_abandon_seconds": PolicyKey("short_abandon", read.any_seconds),
        "target": PolicyKey("target", read.ratio),
        "time_zone": PolicyKey("time_zone", read.zone),
        "day_starts": PolicyKey("day_starts", read.clock),
        "ghost_after_seconds": PolicyKey("ghost_after", read.some_seconds),
        "duplicate_window_seconds": PolicyKey("duplicate_window", _duplicates),
        "inferred_grace_seconds": PolicyKey("inferred_grace", _grace),
        "minimum_volume": PolicyKey("minimum_volume", read.volume),
        "longest_wait_limit_seconds": PolicyKey("longest_wait_limit", read.some_seconds),
        "abandonment_limit": PolicyKey("abandonment_limit", read.ratio),
        "blocking_limit": PolicyKey("blocking_limit", read.ratio),
        "opening_hours": PolicyKey("opening_hours", read.hours),
        "public_holidays": PolicyKey("public_holidays", read.region),
        "special_days": PolicyKey("special_days", read.special_days),
        "quiet_hours": PolicyKey("quiet_hours", read.hours),
        "team": PolicyKey("team", read.team),
    },
    defaults=(
        # Digital contacts may be open, and wait, for days without anybody having forgotten them.
        *(
            Rule(
                channel=channel,
                changes={"ghost_after": timedelta(days=14), "longest_wait_limit": timedelta(days=2)},
            )
            for channel in ("email", "social", "task")
        ),
        *(
            Rule(
                channel=channel,
                changes={"ghost_after": timedelta(hours=24), "longest_wait_limit": timedelta(hours=4)},
            )
            for channel in ("messaging", "sms")
        ),
    ),
)
"""The keys of the policy file that this family reads, and what holds where no file says otherwise."""
