"""Of how many something is kept: memory, pages and changelogs stay bounded whatever producers do."""

from datetime import timedelta
from typing import Final

__all__ = [
    "AGENTS_KEPT",
    "MAX_AGENTS_PER_TENANT",
    "MAX_QUEUES_PER_AGENT",
    "MAX_TENANTS",
    "NO_QUEUE",
    "OVERFLOW_QUEUE",
    "SETTLE_AFTER",
]

OVERFLOW_QUEUE: Final = "(other)"
"""Where the contacts of queues beyond the limit are counted."""

NO_QUEUE: Final = "(none)"
"""Stands where an event names no queue but the tenant as a whole."""

MAX_TENANTS: Final = 1000
"""Tenants of one partition that get figures of their own; beyond that a producer has run away."""

MAX_QUEUES_PER_AGENT: Final = 200
MAX_AGENTS_PER_TENANT: Final = 10_000
"""A producer that has run away must fill neither the memory nor the page; the excess is counted as overflowed."""

AGENTS_KEPT: Final = timedelta(days=7)
"""An agent of whom nothing was heard for so long has left, without anybody having said so."""

SETTLE_AFTER: Final = 100_000
"""Events after which a fold settles by itself: what may be forgotten must not fill the memory."""
