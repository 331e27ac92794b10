"""What became of what sources were given, on `/metrics`: what was left out, and why, is to be seen while it happens."""

from collections.abc import Iterator, Mapping
from typing import Final

from stream.core.metric import Metric, counter
from stream.core.samples import MetricFamily, single
from stream.sources.intake import Intake

__all__ = ["INPUTS", "SOURCE_METRICS", "intake_families"]

INPUTS: Final = counter(
    "contact_source_inputs_total",
    "inputs",
    ("source", "outcome", "kind"),
    "Messages, lines or parts of requests that a source got: `used`, `ignored` on purpose, `unknown`, or `refused`; by "
    "the kind that they are of, or the reason.",
)

SOURCE_METRICS: Final[tuple[Metric, ...]] = (INPUTS,)


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
