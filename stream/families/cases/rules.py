"""What a queue promises to those who write to it, and how its backlog is looked at."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, Literal

from stream.core import policy_values as read
from stream.core.policies import PolicyKey, Rule, Rules
from stream.core.served import Served

__all__ = ["MAX_AGES", "RULES", "CasePolicy"]

MAX_AGES: Final = 5
"""Each bound of an age is a series of every queue."""

_DAY: Final = timedelta(days=1)


class CasePolicy(Served, frozen=True, kw_only=True):
    """How the cases of one queue and channel are judged. Lengths are timedeltas, ratios 0 to 1."""

    first_response_target: timedelta = timedelta(hours=8)
    """A customer's first answer after at most this meets the service level."""
    next_response_target: timedelta = timedelta(hours=8)
    """Likewise each later answer."""
    response_clock: Literal["business", "calendar"] = "business"
    """Which time the targets are in: that in which the queue is served, or all of it."""
    case_target: float = 0.90
    """The share of answers that should meet their target."""
    backlog_ages: tuple[timedelta, ...] = (_DAY, 3 * _DAY, 7 * _DAY, 30 * _DAY)
    """Bounds between which open cases are counted by age; they rise."""
    backlog_age_limit: timedelta = 30 * _DAY
    """Somebody is alerted when a case is open for longer."""

    minimum_volume: int = 20
    """So many first answers a window must have before somebody is alerted of a ratio."""


def _clock(value: object) -> str:
    if value not in {"business", "calendar"}:
        raise ValueError('must be "business" (only while the queue is served) or "calendar"')
    return str(value)


def _ages(value: object) -> tuple[timedelta, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_AGES:
        raise ValueError(f"must be a list of 1 to {MAX_AGES} ages in hours, such as [24, 72, 168]")
    ages = tuple(map(_hours, value))
    if list(ages) != sorted(set(ages)):
        raise ValueError("must be ages that rise, such as [24, 72, 168]")
    return ages


def _hours(value: object) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 24 * 366:
        raise ValueError(f"must be whole hours from 1 to {24 * 366}")
    return timedelta(hours=value)


_LENGTH: Final[Callable[[object], timedelta]] = read.some_seconds

RULES: Final[Rules[CasePolicy]] = Rules(
    policy=CasePolicy,
    keys={
        "first_response_target_seconds": PolicyKey("first_response_target", _LENGTH),
        "next_response_target_seconds": PolicyKey("next_response_target", _LENGTH),
        "response_clock": PolicyKey("response_clock", _clock),
        "case_target": PolicyKey("case_target", read.ratio),
        "backlog_ages_hours": PolicyKey("backlog_ages", _ages),
        "backlog_age_limit_hours": PolicyKey("backlog_age_limit", _hours),
    },
    defaults=tuple(
        # Whoever writes where others chat looks at the screen.
        Rule(
            channel=channel,
            changes={"first_response_target": timedelta(hours=1), "next_response_target": timedelta(hours=1)},
        )
        for channel in ("messaging", "sms", "chat")
    ),
)
"""The keys of the policy file that only this family reads, and what holds where no file says otherwise."""
