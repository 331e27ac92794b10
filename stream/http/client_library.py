"""The same families as a `prometheus_client` collector: for `get_sample_value` in tests, and what the library adds.

Process, platform and garbage collector figures are the library's own; they become families here.
"""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import Metric as ClientMetric
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from stream.core.samples import Block, Buckets, MetricFamily
from stream.http.exposition import Piece, TextFormat

__all__ = ["FamiliesCollector", "ProcessPage", "registry_of"]


class FamiliesCollector(Collector):
    """Exposes what *families* returns at each scrape; keeps nothing."""

    def __init__(self, families: Callable[[], Iterable[MetricFamily]]) -> None:
        self._families = families

    def describe(self) -> Iterable[ClientMetric]:
        """Promise nothing: which families there are depends on what has happened."""
        return ()

    def collect(self) -> Iterator[ClientMetric]:
        """Yield the families of this instant."""
        for family in self._families():
            yield _client_metric(family)


_written_openmetrics: Callable[[CollectorRegistry], bytes] = generate_openmetrics
"""The library's own function has no types."""


def registry_of(families: Callable[[], Iterable[MetricFamily]]) -> CollectorRegistry:
    """Return a registry of its own that holds only these families."""
    # With it the registry would collect once, only to learn names.
    registry = CollectorRegistry(auto_describe=False)
    registry.register(FamiliesCollector(families))
    return registry


class ProcessPage:
    """Memory, CPU, open files, garbage collector and version of Python of this process, as written by the library."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        # A registry of our own, so that nothing that another library registers gets on the page.
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def written(self, form: TextFormat) -> list[Piece]:
        """Return the text in one piece, without the end mark of OpenMetrics."""
        if form is TextFormat.TEXT:
            text = generate_latest(self._registry)
        else:
            # Our page goes on behind it, and has that mark at its own end.
            text = _written_openmetrics(self._registry).removesuffix(b"# EOF\n")
        return [(text, sum(not line.startswith(b"#") for line in text.splitlines()))]


def _client_metric(family: MetricFamily) -> ClientMetric:
    one = family.metric
    client = ClientMetric(one.family, one.meaning, one.kind.value, one.family_unit)
    for block in family.blocks:
        match block:
            case Buckets():
                _add_buckets(client, family, block)
            case Block():
                _add_block(client, family, block)
    return client


def _add_block(client: ClientMetric, family: MetricFamily, block: Block) -> None:
    for values, sample in zip(block.series.values, block.samples, strict=False):
        if sample is not None:
            labels = dict(zip(family.metric.labels, (*values, *block.tail), strict=True))
            client.add_sample(family.metric.name, labels, sample)


def _add_buckets(client: ClientMetric, family: MetricFamily, block: Buckets) -> None:
    name = family.metric.name
    # Written as floats (`20.0`), as OpenMetrics asks, so that the series are the same in both formats.
    les = [*(f"{float(bound)}" for bound in block.bounds), "+Inf"]
    rows = zip(*block.cumulative(family.metric), strict=True)
    for values, counts, total in zip(block.series.values, rows, block.sums, strict=True):
        labels = dict(zip(family.metric.labels, values, strict=True))
        for le, count in zip(les, counts, strict=True):
            client.add_sample(f"{name}_bucket", {**labels, "le": le}, count)
        client.add_sample(f"{name}_count", labels, counts[-1])
        client.add_sample(f"{name}_sum", labels, total)
