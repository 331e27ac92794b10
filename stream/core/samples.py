"""Metric families as columns: a thousand queues cost a few lists, not a thousand objects per metric.

Label sets are rendered once and shared by every family that has them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate

from msgspec import Struct

from stream.core.metric import Metric
from stream.core.vectors import Vector

__all__ = ["Block", "Buckets", "MetricFamily", "Section", "Series", "escaped", "single"]


@dataclass(frozen=True)
class Series:
    """Label sets, in the order of the samples: their values, and the same rendered as `name="value",…`."""

    values: Sequence[tuple[str, ...]]
    texts: Sequence[str]

    _closed: dict[str, Sequence[str]] = field(default_factory=dict)

    def closed(self, tail: str) -> Sequence[str]:
        """Return the texts with a *tail* of further labels, and all that stands between them and a number."""
        # Each label set stands in every figure of a page: its text is made once for each window, up to the number.
        if tail not in self._closed:
            end = f"{tail}}} " if tail or any(self.texts) else " "
            self._closed[tail] = [text + end for text in self.texts]
        return self._closed[tail]

    @classmethod
    def of(cls, names: Sequence[str], values: Sequence[tuple[str, ...]]) -> "Series":
        """Render label sets."""
        template = ",".join(f'{name}="%s"' for name in names)
        columns = (map(escaped, column) for column in zip(*values, strict=True))
        return cls(values, [*map(template.__mod__, zip(*columns, strict=True))] if names else [""] * len(values))


class Block(Struct, frozen=True):
    """Samples of one family, one for each label set; None is no sample."""

    series: Series
    samples: Sequence[float | None]
    tail: tuple[str, ...] = ()
    """Values that all samples of the block share for the last labels of the metric; the series have the others."""

    @property
    def size(self) -> int:
        """How many samples there are."""
        return len(self.samples) - self.samples.count(None)


class Buckets(Struct, frozen=True):
    """
    Distributions of one family, one for each label set.

    The counts are a column for each bucket of the metric, not cumulative, +Inf last; *bounds* are those that are
    written.
    """

    series: Series
    counts: Sequence[Vector]
    sums: Sequence[float]
    bounds: Sequence[int]

    @property
    def size(self) -> int:
        """How many samples there are: buckets, that of +Inf too, count and sum."""
        return len(self.sums) * (len(self.bounds) + 3)

    def cumulative(self, metric: Metric) -> list[Vector]:
        """Return the columns that are written, for each bound and +Inf: counts of all that is no more than it."""
        # All buckets are added up, and those that are written picked: few bounds give the same counts as many.
        counts = [*accumulate(self.counts)]
        return [counts[place] for place in (*map(metric.buckets.index, self.bounds), len(metric.buckets))]


class MetricFamily(Struct, frozen=True):
    """All samples of one metric."""

    metric: Metric
    blocks: Sequence[Block | Buckets]

    @property
    def size(self) -> int:
        """How many samples there are: as many series."""
        return sum(block.size for block in self.blocks)


Section = Callable[[], Iterable[MetricFamily]]
"""A part of the page that is computed, and may fail, on its own."""


@lru_cache(maxsize=16_384)  # the names of queues come again with every page
def escaped(value: str) -> str:
    """
    Return a label value as the text formats write it between quotes.

    A lone surrogate cannot be written as UTF-8; it becomes `?`, so that one name cannot take the page down.
    """
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode("utf-8")
    # The backslash first, or those that stand for line ends and quotes would be doubled.
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def single(metric: Metric, samples: Iterable[tuple[tuple[str, ...], float | None]]) -> Iterator[MetricFamily]:
    """Yield a family from label values and samples; nothing when there is no sample."""
    known = [(values, sample) for values, sample in samples if sample is not None]
    if known:
        series = Series.of(metric.labels, [values for values, _ in known])
        yield MetricFamily(metric, (Block(series, [sample for _, sample in known]),))
