"""What is rated: a queue with its surveys and reviews, and each part of it that has figures of its own.

Knows nothing of records: `stream.families.surveys.fold` tells it what surveys became, and asks for snapshots.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from stream.core.limits import OVERFLOW_QUEUE
from stream.core.retention import Retention
from stream.core.windowed import Windowed
from stream.core.windows import EPOCH, earlier, minute_of
from stream.families.surveys.counts import SurveyCounts, SurveyCountsRow
from stream.families.surveys.rules import SurveyPolicy
from stream.families.surveys.snapshot import SurveySnapshot
from stream.families.surveys.survey import QueueName, RatedPlace

__all__ = [
    "LIFETIME",
    "SURVEY_RETENTION",
    "SURVEY_WINDOWS",
    "KeptUntil",
    "Part",
    "PartKey",
    "RatedQueue",
    "parts_of",
]

PartKey = tuple[str, str, str, str, str]
"""Tenant, queue, channel, group, agent; the last two are empty for the queue as a whole."""

SURVEY_WINDOWS: Final = ("today", "7d", "30d", "90d")

COUNTED_WINDOWS: Final = (*SURVEY_WINDOWS, *map(earlier, SURVEY_WINDOWS))
"""They, and the period before each."""

SURVEY_RETENTION: Final = Retention(days=182)
"""The longest window, and the period before it; a day more than both."""

SHOWN_FOR: Final = timedelta(hours=25) * 91
"""No window shows what is longer ago, clock changes included."""

SILENCE: Final = SURVEY_RETENTION.reach
"""Afterwards nothing is left that anything shows, and totals begin anew."""

_LATEST: Final = timedelta(hours=12)

LIFETIME: Final = SILENCE + _LATEST
"""How long rows of what is silent are kept: events that are late find them by then."""

MAX_AGENTS: Final = 200
"""Of one queue and channel; a producer that has run away must not fill the memory."""

K = TypeVar("K")


class KeptUntil(Generic[K]):
    """Keys by the day until which they are surely kept: what is to be forgotten is found without a look at all."""

    def __init__(self) -> None:
        self._by_day: dict[int, dict[K, None]] = {}

    def note(self, key: K, day: int) -> None:
        """Note that a key has to do with a day; the days before it do not count any more."""
        keys = self._by_day.get(day)
        if keys is None:
            keys = self._by_day[day] = {}
        keys[key] = None

    def forget(self, before: int, day_of: Callable[[K], int | None], may_go: Callable[[K], bool]) -> Iterator[K]:
        """Forget, and yield, the keys whose day is *before* a day, each only when it *may go*."""
        for day in [day for day in self._by_day if day < before]:
            # By now a key may be of a later day, and noted there; None: there is none of it any more.
            due = [key for key in self._by_day.pop(day) if day_of(key) == day]
            if stay := [key for key in due if not may_go(key)]:
                self._by_day[day] = dict.fromkeys(stay)
            yield from (key for key in due if may_go(key))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to forget."""
        return not self._by_day


class Part:
    """One part of a queue that has figures: a channel, a group in it, or an agent."""

    def __init__(self, key: PartKey, policy: SurveyPolicy, *, keep_silent: bool) -> None:
        self.key = key
        self.policy = policy
        self.counts: Windowed[SurveyCounts] = Windowed(
            SurveyCountsRow,
            SURVEY_RETENTION,
            policy.time_zone,
            policy.day_starts,
            windows=COUNTED_WINDOWS,
            silence=None if keep_silent else SILENCE,
        )
        self.swept_on = 0
        """The day on which days that are not kept were forgotten last."""
        self.silent_at: int | None = None
        """The offset at which it was found to be silent."""

    def is_shown(self, at: datetime) -> bool:
        """Tell whether a window may show something of it: a silent one vanishes by being looked at."""
        return self.counts.watermark >= at - SHOWN_FOR

    def snapshot(self, at: datetime) -> SurveySnapshot:
        """Return what the board says of it at the instant *at*."""
        tenant, queue, channel, group, agent = self.key
        return SurveySnapshot(
            tenant=tenant,
            queue=queue,
            channel=channel,
            group=group,
            agent=agent,
            policy=self.policy,
            counted=self.counts.counted(minute_of(at)),
        )


class RatedQueue:
    """One queue of a tenant, or the tenant as a whole, on one partition."""

    def __init__(
        self, tenant: str, name: str, policy_of: Callable[[str, str, str], SurveyPolicy], *, keep_silent: bool
    ) -> None:
        self.tenant, self.name = tenant, name
        self.is_shared = name == OVERFLOW_QUEUE
        """It stands for all names beyond the limit."""
        self.key: QueueName = (tenant, name)
        self.parts: dict[RatedPlace, Part] = {}
        self.surveys: KeptUntil[tuple[str, str, str, str]] = KeptUntil()
        self.watermark = EPOCH
        """Time of the newest event."""
        self.day = 0
        """Of the watermark."""
        self.heard_at = EPOCH
        """The watermark of all queues when something was last heard of this one."""
        self.emptied_at: int | None = None
        """The offset at which the last survey of a silent queue was forgotten."""
        self.swept_on = 0
        self._policy_of = policy_of
        self._policies: dict[str, SurveyPolicy] = {}
        self._keep_silent = keep_silent
        self._named: dict[tuple[str, bool], dict[str, None]] = {}
        """By channel, names of groups (False) and agents (True) that have figures."""

    def policy(self, channel: str) -> SurveyPolicy:
        """Return the policy of a channel."""
        # Rules are patterns, slow to match, and this is asked with every event.
        found = self._policies.get(channel)
        if found is None:
            found = self._policies[channel] = self._policy_of(self.tenant, self.name, channel)
        return found

    def hear(self, at: datetime) -> None:
        """Take note of an event that something was learned from."""
        if at > self.watermark:
            self.watermark = at
            self.day = at.toordinal()

    # Which names have figures of their own: those that come first, up to a limit.

    def place_of(self, channel: str, group: str, agent: str) -> RatedPlace:
        """Return where something counts that is told of a channel, group and agent."""
        policy = self.policy(channel)
        if group:
            group = self._bounded(channel, group, policy.survey_groups, agents=False)
        agent = self._bounded(channel, agent, MAX_AGENTS, agents=True) if agent and policy.survey_by_agent else ""
        return channel, group, agent

    def _bounded(self, channel: str, name: str, limit: int, *, agents: bool) -> str:
        known = self._named.get((channel, agents), {})
        if name in known:
            return name
        return name if len(known) < limit else OVERFLOW_QUEUE

    def part(self, place: RatedPlace) -> Part:
        """Return the part of a place, a new one if there is none."""
        found = self.parts.get(place)
        if found is None:
            channel, group, agent = place
            key = (self.tenant, self.name, *place)
            found = self.parts[place] = Part(key, self.policy(channel), keep_silent=self._keep_silent)
            if (named := agent or group) and named != OVERFLOW_QUEUE:
                self._named.setdefault((channel, bool(agent)), {})[named] = None
        return found

    def forget_part(self, place: RatedPlace) -> None:
        """Keep a part no longer, so that its name makes room for another one."""
        del self.parts[place]
        channel, group, agent = place
        self._named.get((channel, bool(agent)), {}).pop(agent or group, None)


def parts_of(place: RatedPlace) -> tuple[RatedPlace, ...]:
    """Return every place whose figures count what happens in a place: the whole channel, its group, its agent."""
    channel, group, agent = place
    whole = (channel, "", "")
    if not group and not agent:
        return (whole,)
    return (whole, *([(channel, group, "")] if group else []), *([(channel, "", agent)] if agent else []))
