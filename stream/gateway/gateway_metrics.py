"""What a gateway says of itself on `/metrics`."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from stream.core.metric import Metric, counter, gauge
from stream.core.samples import MetricFamily, single
from stream.errors import REFUSAL_REASONS
from stream.gateway.forwarder import Forwarder

__all__ = ["GATEWAY", "PostCounts", "gateway_families"]

REQUESTS: Final = counter("contact_gateway_requests_total", "requests", ("status",), "Posts, by status of the answer.")
ACCEPTED: Final = counter(
    "contact_gateway_events_accepted_total", "events", ("source",), "Events accepted, by name of the key or webhook."
)
REFUSED: Final = counter(
    "contact_gateway_events_refused_total",
    "events",
    ("source", "reason"),
    "Events refused, by name of the key and why.",
)
SPOOL_EVENTS: Final = gauge("contact_gateway_spool_events", "events", (), "Accepted events that the broker lacks yet.")
SPOOL_BYTES: Final = gauge("contact_gateway_spool_bytes", "bytes", (), "What they take of the spool's room.")
SPOOL_LIMIT: Final = gauge("contact_gateway_spool_limit_bytes", "bytes", (), "How much room the spool has.")
SPOOL_BROKEN: Final = gauge(
    "contact_gateway_spool_broken", "bool", (), "1 while the disk refuses what is to be spooled."
)
SPOOL_OLDEST: Final = gauge(
    "contact_gateway_spool_oldest_timestamp_seconds",
    "seconds",
    (),
    "When the oldest event in the spool was accepted, since 1970; no sample while it is empty.",
)

SET_ASIDE: Final = counter(
    "contact_gateway_set_aside_total",
    "events",
    ("reason",),
    "Events that the broker refuses for good, and parts of payloads that are of no use, by reason.",
)
SPOOL_ASIDE: Final = gauge(
    "contact_gateway_spool_aside_events",
    "events",
    (),
    "Events kept aside in the spool's file, since the topic of dead letters does not take them either.",
)

GATEWAY: Final[tuple[Metric, ...]] = (
    REQUESTS, ACCEPTED, REFUSED, SPOOL_EVENTS, SPOOL_BYTES, SPOOL_LIMIT, SPOOL_BROKEN, SPOOL_OLDEST,
    SET_ASIDE, SPOOL_ASIDE,
)  # fmt: skip
"""Every metric of a gateway."""


class PostCounts(Struct):
    """What came in, and what became of it."""

    requests: Counter[int] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)


def gateway_families(counts: PostCounts, forwarder: Forwarder) -> Iterator[MetricFamily]:
    """Yield the metric families of a gateway as it is now."""
    yield from single(REQUESTS, [((str(status),), count) for status, count in sorted(counts.requests.items())])
    yield from single(ACCEPTED, [((source,), count) for source, count in counts.accepted.items()])
    yield from single(REFUSED, list(counts.refused.items()))
    # From 0 on, so that the first one is an increase.
    set_aside = dict.fromkeys(REFUSAL_REASONS, 0) | forwarder.set_aside_counts
    yield from single(SET_ASIDE, [((reason,), count) for reason, count in set_aside.items()])
    if (spool := forwarder.spool) is not None:
        yield from single(SPOOL_EVENTS, [((), spool.events)])
        yield from single(SPOOL_BYTES, [((), spool.bytes)])
        yield from single(SPOOL_LIMIT, [((), spool.limit_bytes)])
        yield from single(SPOOL_BROKEN, [((), int(spool.broken is not None))])
        yield from single(SPOOL_OLDEST, [((), spool.oldest)])
        yield from single(SPOOL_ASIDE, [((), spool.aside)])
