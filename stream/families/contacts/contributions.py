"""What a segment or callback counts for in the tallies: values that are added, and can be taken back.

Each says `at` which instant it counts, and how it counts, with `sign` +1 or -1.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from msgspec import Struct

from stream.families.contacts.segment import UNKNOWN
from stream.families.contacts.tally import Tally, bucket_of_handle, bucket_of_wait

__all__ = [
    "Abandoned",
    "Answered",
    "Blocked",
    "CallbackStep",
    "Contribution",
    "Dequeued",
    "Entered",
    "Handled",
    "OfferMissed",
    "TransferredOut",
]


# The tags are short since they stand in rows: a callback keeps what it was counted for.
# Frozen, and equal by value: the difference of two derivations finds what is in both by comparing.
class _At(Struct, frozen=True, array_like=True, gc=False):
    at: datetime
    """The instant, hence the minute and day, that it is counted in."""


_ENTRIES = {"transfer": "transferred_in", "requeue": "requeued"}
"""What is counted beside the offer, by its reason."""


class Entered(_At, frozen=True, gc=False, tag="in"):
    """Offered: the segment entered the queue."""

    reason: str = "new"

    def count(self, tallies: Iterable[Tally], sign: int) -> None:
        """Add to each of *tallies* what an entry counts for."""
        slot = _ENTRIES.get(self.reason)
        for tally in tallies:
            tally.offered += sign
            if slot is not None:
                setattr(tally, slot, getattr(tally, slot) + sign)


class Answered(_At, frozen=True, gc=False, tag="an"):
    """An agent answered after a wait, of UNKNOWN length where nobody told when it began."""

    wait_ms: int
    in_target: bool

    def count(self, tallies: Iterable[Tally], sign: int) -> None:
        """Add to each of *tallies* what an answer counts for."""
        if self.wait_ms == UNKNOWN:
            for tally in tallies:
                tally.answered += sign
                tally.answered_wait_unknown += sign
            return
        # Once, and not for each tally: a minute, a day and a total count the same.
        wait_ms, bucket, in_target = sign * self.wait_ms, bucket_of_wait(self.wait_ms), self.in_target
        for tally in tallies:
            tally.answered += sign
            tally.answer_wait_ms += wait_ms
            tally.waits[bucket] += sign
            if in_target:
                tally.answered_in_target += sign


class Abandoned(_At, frozen=True, gc=False, tag="ab"):
    """The customer gave up after a wait."""

    wait_ms: int
    in_target: bool
    short: bool

    def count(self, tallies: Iterable[Tally], sign: int) -> None:
        """Add to each of *tallies* what an abandon counts for."""
        for tally in tallies:
            tally.abandoned += sign
            if self.wait_ms == UNKNOWN:
                tally.abandoned_wait_unknown += sign
                continue
            tally.abandon_wait_ms += sign * self.wait_ms
            if self.in_target:
                tally.abandoned_in_target += sign
            if self.short:
                tally.abandoned_short += sign


class Dequeued(_At, frozen=True, gc=False, tag="de"):
    """The contact left the queue by another exit."""

    wait_ms: int
    in_target: bool
    reason: str

    def count(self, tallies: Iterable[Tally], sign: int) -> None:
        """Add to each of *tallies* what such an exit counts for."""
        slot = "dequeued_" + self.reason
        for tally in tallies:
            setattr(tally, slot, getattr(tally, slot) + sign)
            if self.reason == "callback_requested":
                tally.callback_requested_in_target += sign * self.in_target
                tally.callback_requested_wait_unknown += sign * (self.wait_ms == UNKNOWN)


class Handled(_At, frozen=True, gc=False, tag="ha"):
    """The handle time of a conversation is known."""

    talk_ms: int
    hold_ms: int
    wrapup_ms: int

    def count(self, tallies: Iterable[Tally], sign: int) -> None:
        """Add to each of *tallies* what a handled conversation counts for."""
        talk_ms, hold_ms, wrapup_ms = sign * self.talk_ms, sign * self.hold_ms, sign * self.wrapup_ms
        bucket = bucket_of_handle(self.talk_ms + self.hold_ms + self.wrapup_ms)
        for tally in tallies:
            tally.handled += sign
            tally.talk_ms += talk_ms
            tally.hold_ms += hold_ms
            tally.wrapup_ms += wrapup_ms
            tally.handles[bucket] += sign


class TransferredOut(_At, frozen=True, gc=False, tag="to"):
    """The contact was handed on, from this segment to elsewhere."""

    def count(self, tallies: Iterable[Tally], sign: int) -> None:
        """Add to each of *tallies* what a transfer counts for."""
        for tally in tallies:
            tally.transferred_out += sign


class OfferMissed(_At, frozen=True, gc=False, tag="om"):
    """It rang at an agent in vain."""

    offer: str

    def count(self, tallies: Iterable[Tally], sign: int) -> None:
        """Add to each of *tallies* what a missed offer counts for."""
        for tally in tallies:
            tally.offers_missed += sign


class Blocked(_At, frozen=True, gc=False, tag="bl"):
    """An attempt did not get into the queue."""

    reason: str

    def count(self, tallies: Iterable[Tally], sign: int) -> None:
        """Add to each of *tallies* what a blocked attempt counts for."""
        slot = "closed" if self.reason == "closed" else "blocked_" + self.reason
        for tally in tallies:
            setattr(tally, slot, getattr(tally, slot) + sign)


_STEPS = {
    "requested": "callbacks_requested",
    "attempted": "callback_attempts",
    "connected": "callbacks_connected",
    "failed": "callbacks_failed",
}


class CallbackStep(_At, frozen=True, gc=False, tag="cb"):
    """A promised call back went one step on."""

    step: Literal["requested", "attempted", "connected", "failed"]
    attempt: int = 0

    def count(self, tallies: Iterable[Tally], sign: int) -> None:
        """Add to each of *tallies* what the step counts for."""
        slot = _STEPS[self.step]
        for tally in tallies:
            setattr(tally, slot, getattr(tally, slot) + sign)


Contribution = (
    Entered | Answered | Abandoned | Dequeued | Handled | TransferredOut | OfferMissed | Blocked | CallbackStep
)
