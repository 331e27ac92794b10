"""What the board says of the cases of one queue at an instant."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from stream.core.cloudevents import Channel, Instant
from stream.core.counted import Counted
from stream.families.cases.rules import CasePolicy

__all__ = ["PRIORITIES", "QUEUE", "STATUSES", "CasesSnapshot"]

QUEUE: Final = ("tenant", "queue", "channel")
"""The labels of a queue."""

STATUSES: Final = ("new", "open", "pending", "on_hold")
"""Of open cases, in the order of their places."""

PRIORITIES: Final = ("low", "normal", "high", "urgent")


class CasesSnapshot(Struct, frozen=True, kw_only=True):
    """The cases of one queue and channel; where it comes from one partition, those that are on it."""

    tenant: str
    queue: str
    channel: Channel
    policy: CasePolicy
    open: int
    """Backlog: cases that are not solved."""
    waiting: int
    """Of these, those whose customer waits for an answer now."""
    waiting_since: Instant | None
    """Since when the first of these waits; None when nobody does."""
    past_target: int
    """Of those waiting, how many can no longer be answered within their target."""
    due_within_hour: int
    """Of those waiting, how many will miss their target within the hour if nobody answers."""
    at_risk: int
    """The same within the last quarter of the target, where that is less than an hour."""
    opened_since: Instant | None
    """When the oldest open case was opened; None where there is none."""
    by_status: tuple[int, ...]
    """Open cases, in the order of `STATUSES`."""
    by_priority: tuple[int, ...]
    by_age: tuple[int, ...]
    """Open cases no older than each bound of the policy, but than the bound before; the last are older than all."""
    counted: Counted

    @property
    def key(self) -> tuple[str, str, Channel]:
        """What it is of, in the order of `QUEUE`."""
        return self.tenant, self.queue, self.channel

    def __add__(self, other: "CasesSnapshot") -> "CasesSnapshot":
        return replace(
            self,
            open=self.open + other.open,
            waiting=self.waiting + other.waiting,
            waiting_since=_first(self.waiting_since, other.waiting_since),
            past_target=self.past_target + other.past_target,
            due_within_hour=self.due_within_hour + other.due_within_hour,
            at_risk=self.at_risk + other.at_risk,
            opened_since=_first(self.opened_since, other.opened_since),
            by_status=_sums(self.by_status, other.by_status),
            by_priority=_sums(self.by_priority, other.by_priority),
            by_age=_sums(self.by_age, other.by_age),
            counted=self.counted + other.counted,
        )


def _first(one: Instant | None, other: Instant | None) -> Instant | None:
    return min(filter(None, (one, other)), default=None)


def _sums(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(mine + theirs for mine, theirs in zip(one, other, strict=True))
