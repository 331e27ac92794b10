"""Every metric, once: those of all families, of the feed, of the ways in, and of the page itself."""

from collections.abc import Mapping
from typing import Final

from stream.core.metric import Metric
from stream.families.registry import FAMILIES
from stream.gateway.gateway_metrics import GATEWAY
from stream.http.build import BUILD_INFO
from stream.http.exposition import PAGE_SERIES, SECTION_DURATION, SECTION_SUCCESS
from stream.sources.intake_metrics import SOURCE_METRICS
from stream.status.feed_metrics import FEED

__all__ = ["BY_NAME", "CATALOGUE", "SECTIONS", "metric"]


def _sections() -> dict[str, tuple[Metric, ...]]:
    found: dict[str, tuple[Metric, ...]] = {}
    for family in FAMILIES:
        for figure in family.figures:
            if figure.metric is not None:
                found[figure.section] = (*found.get(figure.section, ()), figure.metric)
    ways_in = {"gateway": GATEWAY, "sources": SOURCE_METRICS}
    return {**found, "feed": FEED, **ways_in, "page": (SECTION_SUCCESS, SECTION_DURATION, PAGE_SERIES, BUILD_INFO)}


SECTIONS: Final[Mapping[str, tuple[Metric, ...]]] = _sections()
"""By section of the page."""

CATALOGUE: Final = tuple(metric for metrics in SECTIONS.values() for metric in metrics)

BY_NAME: Final = {one.name: one for one in CATALOGUE}


def metric(name: str) -> Metric:
    """Return the metric of that name; KeyError when the catalogue has none."""
    return BY_NAME[name]
