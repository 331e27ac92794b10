"""What a day, or all there ever was, has counted of customers: numbers that add up."""

from typing import Final, get_args

from msgspec import field

from stream.core.cloudevents import Channel
from stream.core.counts import Counts, CountsRow

__all__ = [
    "CHANNELS",
    "EFFORT_BOUNDS_SECONDS",
    "EFFORT_CONTACTS_BOUNDS",
    "CustomerCounts",
    "CustomerCountsRow",
]

CHANNELS: Final[tuple[str, ...]] = get_args(Channel)
"""In the order of the lists that have one number for each."""

_HOUR, _DAY = 3600, 86_400

EFFORT_BOUNDS_SECONDS: Final = (
    *(_HOUR, 4 * _HOUR, 8 * _HOUR, 24 * _HOUR),
    *(2 * _DAY, 3 * _DAY, 5 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY),
)
"""Upper bounds, inclusive, of the buckets of times to a solution; above them is one bucket more."""

EFFORT_CONTACTS_BOUNDS: Final = (1, 2, 3, 4, 5, 7, 10)
"""The same of how many contacts a solution took."""


def _by_channel() -> list[int]:
    return [0] * len(CHANNELS)


def _effort() -> list[int]:
    return [0] * (len(EFFORT_BOUNDS_SECONDS) + 1)


def _effort_contacts() -> list[int]:
    return [0] * (len(EFFORT_CONTACTS_BOUNDS) + 1)


class CustomerCounts(Counts, array_like=True, gc=False):
    """
    Counts of what customers did, each at the instant that its comment says; money is in hundredths.

    Those of the first half are counted by queue and channel, the others for all customers of a tenant together, and
    by plan and group. New fields go to the very end, and raise the version of the table.
    """

    effort_in: list[int] = field(default_factory=_effort)
    effort_contacts_in: list[int] = field(default_factory=_effort_contacts)
    came_by: list[int] = field(default_factory=_by_channel)
    """Contacts of customers by channel, when they came."""
    before_by: list[int] = field(default_factory=_by_channel)
    """Contacts by channel in the 30 days before a purchase; when the 30 days after it are over."""
    after_by: list[int] = field(default_factory=_by_channel)
    """Likewise in the 30 days after it."""

    contacts: int = 0
    """Contacts of known customers, when they came."""
    repeats: int = 0
    """Of these, those whose customer had come in the same matter within the look-back."""
    first_served: int = 0
    """Contacts that were served and are no repeats, when they came."""
    first_not_repeated: int = 0
    """Of these, those after which none has come within the look-back by now."""
    first_decided: int = 0
    """Contacts that were served and are no repeats, on the first day on which their look-back is over."""
    first_resolved: int = 0
    """Of these, those after which none came within the look-back."""
    efforts: int = 0
    """Matters that are solved by now, at their last solution."""
    effort_ms: int = 0
    """From the first contact to that."""
    effort_contacts: int = 0
    effort_handovers: int = 0
    effort_solutions: int = 0
    asked: int = 0
    """Invitations to surveys, when they were sent."""
    asked_too_often: int = 0
    """Of these, those whose customer had been asked as often as the policy allows."""

    joined: int = 0
    """Customers who began, or came back, when they did."""
    left: int = 0
    """Customers who left, when they did."""
    lost: int = 0
    """
    Of customers who are gone now: how often they left less how often they joined, each when it happened.

    So the sum over a window is how many were there at its start, and are gone.
    """
    gained: int = 0
    """
    Of customers who are there now: how often they joined less how often they left, each when it happened.

    So the sum over a window is how many are there, and were not at its start.
    """
    first_joined: int = 0
    """Customers who began and had never been there before, when they did."""
    referred: int = 0
    """Of these, those whom another customer has sent."""
    monthly_change: int = 0
    """What customers pay in a month: how much more it became, or less, when it did."""
    monthly_lost: int = 0
    """
    The same of customers who are gone now, with the other sign.

    So the sum over a window is what they paid at its start.
    """
    monthly_gained: int = 0
    """What those of `gained` pay now."""
    purchases: int = 0
    """Purchases, when they were made."""
    revenue: int = 0
    """What was paid for them, less what was paid back, each when it was."""
    other_currency: int = 0
    """Amounts in another currency than that of the policy: none of the sums has them."""
    journeys: int = 0
    """Purchases, on the first day on which the 30 days after them are over."""
    carts_created: int = 0
    carts_created_value: int = 0
    """What they were last worth."""
    carts_checked_out: int = 0
    carts_abandoned: int = 0
    """Carts with which nothing happened for so long as the policy says, when that was over; each once."""
    carts_abandoned_value: int = 0
    carts_completed: int = 0
    """Carts that were ordered and had never been abandoned, when they were."""
    carts_completed_value: int = 0
    carts_recovered: int = 0
    """Carts that were ordered after they had been abandoned, when they were."""
    carts_recovered_value: int = 0
    dropped: int = 0
    """Events of which one customer had too many: the oldest of them are not looked at any more."""
    unknown: int = 0
    """Events of customers and carts beyond the limit, of whom nothing is kept."""


class CustomerCountsRow(CountsRow[CustomerCounts], array_like=True, gc=False):
    """The counts as a row."""

    applied_offset: int = -1
    tally: CustomerCounts = field(default_factory=CustomerCounts)
