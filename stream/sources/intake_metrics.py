"""What became of what sources were given, on `/metrics`: what was left out, and why, is to be seen while it happens."""

from collections.abc import Iterator, Mapping
from typing import Final

from stream.core.metric import Metric, counter, gauge
from stream.core.samples import MetricFamily, single
from stream.sources.intake import Intake

__all__ = ["CONNECTED", "POSITION_FAILURES", "SOURCE_METRICS", "intake_families", "puller_families"]

INPUTS: Final = counter(
    "contact_source_inputs_total",
    "inputs",
    ("source", "outcome", "kind"),
    "Messages, lines or parts of requests that a source got: `used`, `ignored` on purpose, `unknown`, or `refused`; by "
    "the kind that they are of, or the reason.",
)

SENT: Final = counter(
    "contact_source_events_total",
    "events",
    ("source",),
    "Events of a source that are on the broker, or in the spool of the gateway that serves it.",
)
NEWEST: Final = gauge(
    "contact_source_newest_event_timestamp_seconds",
    "seconds",
    ("source",),
    "Of the events that a source has sent, the time of the newest, since 1970; no sample before the first.",
)
CONNECTED: Final = gauge(
    "contact_source_connected", "bool", ("source", "system"), "1 while a source hears a system that it listens to."
)
POSITION_FAILURES: Final = counter(
    "contact_source_position_failures_total",
    "failures",
    ("source",),
    "How often the position of a source could not be kept: after a crash more is sent again.",
)

SOURCE_METRICS: Final[tuple[Metric, ...]] = (INPUTS, SENT, NEWEST, CONNECTED, POSITION_FAILURES)
"""Every metric of a source; a webhook, which the gateway serves, has the first three."""


def intake_families(intakes: Mapping[str, Intake]) -> Iterator[MetricFamily]:
    """Yield the metric families of sources, each under its name."""
    samples = [
        ((source, outcome, kind), count)
        for source, intake in intakes.items()
        for outcome, counts in (
            ("used", intake.used),
            ("ignored", intake.ignored),
            ("unknown", intake.unknown),
            ("refused", intake.refused),
        )
        for kind, count in counts.items()
    ]
    yield from single(INPUTS, samples)
    yield from single(SENT, [((source,), intake.sent) for source, intake in intakes.items()])
    newest = [((source,), intake.newest.timestamp()) for source, intake in intakes.items() if intake.newest]
    yield from single(NEWEST, newest)


def puller_families(source: str, intake: Intake, position_failures: int) -> Iterator[MetricFamily]:
    """Yield the metric families of a source that runs in a process of its own."""
    yield from intake_families({source: intake})
    yield from single(CONNECTED, [((source, system), int(heard)) for system, heard in intake.connected.items()])
    yield from single(POSITION_FAILURES, [((source,), position_failures)])
