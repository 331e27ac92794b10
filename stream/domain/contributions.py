"""What a segment or callback counts for in the tallies: values that are added, and can be taken back.

Each says `at` which instant it counts, and how it counts, with `sign` +1 or -1.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from stream.domain.tally import Tally, bucket_of_handle, bucket_of_wait

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


class _At(Struct, frozen=True, array_like=True, gc=False):
    at: datetime
    """The instant, hence the minute and day, that it is counted in."""


class Entered(_At, frozen=True, gc=False, tag="in"):
    """Offered: the segment entered the queue."""

    reason: str = "new"

    def count(self, tally: Tally, sign: int) -> None:
        """Add to *tally* what an entry counts for."""
        tally.offered += sign
        if self.reason == "transfer":
            tally.transferred_in += sign
        elif self.reason == "requeue":
            tally.requeued += sign


class Answered(_At, frozen=True, gc=False, tag="an"):
    """An agent answered after a wait."""

    wait_ms: int
    in_target: bool

    def count(self, tally: Tally, sign: int) -> None:
        """Add to *tally* what an answer counts for."""
        tally.answered += sign
        tally.answer_wait_ms += sign * self.wait_ms
        tally.waits[bucket_of_wait(self.wait_ms)] += sign
        if self.in_target:
            tally.answered_in_target += sign


class Abandoned(_At, frozen=True, gc=False, tag="ab"):
    """The customer gave up after a wait."""

    wait_ms: int
    in_target: bool
    short: bool

    def count(self, tally: Tally, sign: int) -> None:
        """Add to *tally* what an abandon counts for."""
        tally.abandoned += sign
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

    def count(self, tally: Tally, sign: int) -> None:
        """Add to *tally* what such an exit counts for."""
        slot = "dequeued_" + self.reason
        setattr(tally, slot, getattr(tally, slot) + sign)
        if self.reason == "callback_requested" and self.in_target:
            tally.callback_requested_in_target += sign


class Handled(_At, frozen=True, gc=False, tag="ha"):
    """The handle time of a conversation is known."""

    talk_ms: int
    hold_ms: int
    wrapup_ms: int

    def count(self, tally: Tally, sign: int) -> None:
        """Add to *tally* what a handled conversation counts for."""
        tally.handled += sign
        tally.talk_ms += sign * self.talk_ms
        tally.hold_ms += sign * self.hold_ms
        tally.wrapup_ms += sign * self.wrapup_ms
        tally.handles[bucket_of_handle(self.talk_ms + self.hold_ms + self.wrapup_ms)] += sign


class TransferredOut(_At, frozen=True, gc=False, tag="to"):
    """The contact was handed on, from this segment to elsewhere."""

    def count(self, tally: Tally, sign: int) -> None:
        """Add to *tally* what a transfer counts for."""
        tally.transferred_out += sign


class OfferMissed(_At, frozen=True, gc=False, tag="om"):
    """It rang at an agent in vain."""

    offer: str

    def count(self, tally: Tally, sign: int) -> None:
        """Add to *tally* what a missed offer counts for."""
        tally.offers_missed += sign


class Blocked(_At, frozen=True, gc=False, tag="bl"):
    """An attempt did not get into the queue."""

    reason: str

    def count(self, tally: Tally, sign: int) -> None:
        """Add to *tally* what a blocked attempt counts for."""
        slot = "closed" if self.reason == "closed" else "blocked_" + self.reason
        setattr(tally, slot, getattr(tally, slot) + sign)


class CallbackStep(_At, frozen=True, gc=False, tag="cb"):
    """A promised call back went one step on."""

    step: Literal["requested", "attempted", "connected", "failed"]
    attempt: int = 0

    def count(self, tally: Tally, sign: int) -> None:
        """Add to *tally* what the step counts for."""
        match self.step:
            case "requested":
                tally.callbacks_requested += sign
            case "attempted":
                tally.callback_attempts += sign
            case "connected":
                tally.callbacks_connected += sign
            case "failed":
                tally.callbacks_failed += sign


Contribution = (
    Entered | Answered | Abandoned | Dequeued | Handled | TransferredOut | OfferMissed | Blocked | CallbackStep
)
