"""What is kept, for how long and of how many: memory, pages and changelogs stay bounded whatever producers do."""

from datetime import timedelta
from typing import Final

__all__ = [
    "AGENTS_KEPT",
    "DAYS_KEPT",
    "DUPLICATE_WINDOW",
    "GHOSTS_KEPT",
    "MAX_AGENTS_PER_TENANT",
    "MAX_QUEUES_PER_AGENT",
    "MAX_TENANTS",
    "MINUTES_KEPT",
    "OVERFLOW_QUEUE",
]

OVERFLOW_QUEUE: Final = "(other)"
"""Where the contacts of queues beyond the limit are counted."""

MAX_TENANTS: Final = 1000
"""Tenants of one partition that get figures of their own; beyond that a producer has run away."""

MINUTES_KEPT: Final = 60 + 60
"""Minutes a queue remembers: the longest window, and an hour for late events to reach theirs."""

DAYS_KEPT: Final = 2
"""Days a queue remembers: today and yesterday."""

DUPLICATE_WINDOW: Final = timedelta(minutes=10)
"""How long, in the time of the queue's events, a finished segment is kept so that repeats change nothing."""

GHOSTS_KEPT: Final = timedelta(days=DAYS_KEPT)
"""How long a ghost is kept after it expired: no window that still shows it may lose it."""

MAX_QUEUES_PER_AGENT: Final = 200
MAX_AGENTS_PER_TENANT: Final = 10_000
"""A producer that has run away must fill neither the memory nor the page; the excess is counted as overflowed."""

AGENTS_KEPT: Final = timedelta(days=7)
"""An agent of whom nothing was heard for so long has left, without anybody having said so."""
