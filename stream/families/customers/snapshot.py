"""What the board says of customers at an instant: of a queue to which they come, or of a plan or group of them."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from stream.core.counted import Counted
from stream.families.customers.rules import CustomerPolicy

__all__ = ["CUSTOMERS", "Active", "CustomersSnapshot"]

CUSTOMERS: Final = ("tenant", "queue", "channel", "plan", "group")
"""The labels. Queue and channel are empty where it is not told by queue; plan and group for all customers together."""

Active = tuple[int, int, int]
"""How many customers were active today, in the last 7 local days, and in the last 30; with the running one."""


class CustomersSnapshot(Struct, frozen=True, kw_only=True):
    """What is known of one queue, plan or group; where it comes from one partition, of the customers that are on it."""

    tenant: str
    queue: str
    channel: str
    plan: str
    group: str
    policy: CustomerPolicy
    present: int
    """Customers who are there now."""
    monthly: int
    """What they pay in a month, in hundredths."""
    revenue: int
    """What they have paid so far, in hundredths."""
    active: tuple[Active, ...]
    """In each of `ACTIVITIES`, and at last in any way."""
    counted: Counted
    """In each window and ever, as packed `CustomerCounts`."""

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What it is of, in the order of `CUSTOMERS`."""
        return self.tenant, self.queue, self.channel, self.plan, self.group

    def __add__(self, other: "CustomersSnapshot") -> "CustomersSnapshot":
        """Return both as one: each customer is on one partition only."""
        return replace(
            self,
            present=self.present + other.present,
            monthly=self.monthly + other.monthly,
            revenue=self.revenue + other.revenue,
            active=tuple(
                (mine[0] + theirs[0], mine[1] + theirs[1], mine[2] + theirs[2])
                for mine, theirs in zip(self.active, other.active, strict=True)
            ),
            counted=self.counted + other.counted,
        )
