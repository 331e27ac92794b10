"""The customers of a simulated quarter on several workers: what each shows, and what all of them show together."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from zlib import crc32

from stream.app.policy_file import policies_of
from stream.core.cloudevents import Event
from stream.core.family import merged
from stream.families.about_customers import told_by_cart
from stream.families.customers.events import CustomerPurchased
from stream.families.customers.fold import CustomersFold
from stream.families.customers.snapshot import CustomersSnapshot
from stream.simulator.customers.quarter import simulated_quarter

__all__ = ["BEGAN", "ENDED", "RULES", "share_of_workers", "together"]

BEGAN = datetime(2026, 7, 1, 6, tzinfo=UTC)
ENDED = BEGAN + timedelta(days=99, hours=11)
"""In the middle of a day and of a month, when something happens in all windows."""

RULES = policies_of(
    """
    [defaults]
    margin = 0.25
    customer_minimum = 5
    repeat_within_days = 5
    """,
    "policies.toml",
)

_CUSTOMERS = 120


@cache
def share_of_workers(workers: int) -> Sequence[tuple[CustomersSnapshot, ...]]:
    """Return the snapshots of each of so many workers, each of which has the customers of some partitions."""
    folds = [CustomersFold(RULES) for _ in range(workers)]
    for number, event in enumerate(_events()):
        # A cart has a partition of its own, a customer another one.
        fold = folds[crc32(event.subject.encode()) % workers]
        applied = fold.apply([event], [number])
        assert not applied.failed, applied.failed
    return [tuple(one for _, one in fold.snapshots(ENDED)) for fold in folds]


def together(shares: Iterable[Sequence[CustomersSnapshot]]) -> Sequence[CustomersSnapshot]:
    """Return what a board shows of all workers."""
    return merged(one for share in shares for one in share)


@cache
def _events() -> Sequence[Event]:
    quarter = [one for one in simulated_quarter(7, _CUSTOMERS, BEGAN) if one.time <= ENDED]
    tell = told_by_cart(RULES)
    bought = [follows for one in quarter if type(one) in tell for follows in tell[type(one)](one)]
    assert any(isinstance(one, CustomerPurchased) for one in bought)
    return sorted([*quarter, *bought], key=lambda one: one.time)
