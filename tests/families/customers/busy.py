"""Customers with a sample of every figure: those of one queue, and of a tenant, a plan and a group."""

import struct
from datetime import time

from stream.core.calendar import EVERY_DAY, Span
from stream.core.counted import Counted
from stream.core.counts import COUNT_BYTES, size_of
from stream.core.windows import ALL
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.history import ACTIVITIES
from stream.families.customers.parts import CUSTOMER_WINDOWS
from stream.families.customers.rules import CustomerPolicy
from stream.families.customers.snapshot import CustomersSnapshot

__all__ = ["busy_customers"]

_POLICY = CustomerPolicy(
    customer_minimum=1,
    churn_limit=0.1,
    cart_abandonment_limit=0.7,
    team="loyalty",
    quiet_hours=(Span(EVERY_DAY, time(22), time(6)),),
)

_PRESENT = 40


def _customers(queue: str = "", plan: str = "", group: str = "") -> CustomersSnapshot:
    """Return what is shown of one part: every count is 3."""
    packed = struct.pack("<q", 3) * (size_of(CustomerCounts) // COUNT_BYTES)
    present = 0 if queue else _PRESENT
    return CustomersSnapshot(
        tenant="acme",
        queue=queue,
        channel="voice" if queue else "",
        plan=plan,
        group=group,
        policy=_POLICY,
        present=present,
        monthly=1000 * present,
        revenue=9000 * present,
        active=tuple((number + 1, number + 2, number + 3) for number in range(len(ACTIVITIES) + 1)),
        counted=Counted(
            windows=dict.fromkeys((*CUSTOMER_WINDOWS, ALL), packed),
            running=dict.fromkeys(("day", "month", "quarter"), packed),
            taken_back=packed,
        ),
    )


def busy_customers() -> tuple[CustomersSnapshot, ...]:
    """Return them in the order of their keys."""
    return _customers(), _customers(group="vip"), _customers(plan="gold"), _customers(queue="busy")
