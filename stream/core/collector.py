"""From the snapshots of a family to metric families, at the scrape: keeps no figure of its own."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

from msgspec import Struct

from stream.core.family import Board, Family
from stream.core.figure import Figure, Reading
from stream.core.metric import Metric
from stream.core.samples import Block, Buckets, MetricFamily, Section, Series

__all__ = ["FEW_SERIES", "Histograms", "PageDetail", "family_of_section", "metric_families", "sections_of"]

Histograms = Literal["coarse", "full", "none"]


class PageDetail(Struct, frozen=True, kw_only=True):
    """How much of a board a page of metrics tells: what it tells are series that somebody must keep."""

    windows: tuple[str, ...] | None = None
    """Those in which every figure is written; None: each in those that it is needed in."""
    histograms: Histograms = "coarse"
    """How many buckets are written: some, all, or none but that which counts everything."""


FEW_SERIES: Final = PageDetail()
"""What dashboards and alerts need, and no more."""


def sections_of(board: Board, families: Sequence[Family[Any]], detail: PageDetail) -> dict[str, Section]:
    """Return the sections of the page that show a board, by name; each is computed when it is called."""
    # Not before: a section that fails must leave the others alone, and the page measures how long each takes.
    sections: dict[str, Section] = {}
    for family in families:
        # One reading for all sections of a family: what their figures share is computed once.
        reading = board.reading(family)
        for name in dict.fromkeys(figure.section for figure in family.figures if figure.metric is not None):
            sections[name] = _section(family, reading, name, detail)
    return sections


def family_of_section(families: Sequence[Family[Any]]) -> dict[str, str]:
    """Return the name of the family of each section of the page."""
    return {figure.section: family.name for family in families for figure in family.figures if figure.section}


def metric_families(
    board: Board, families: Sequence[Family[Any]], detail: PageDetail = FEW_SERIES
) -> Iterator[MetricFamily]:
    """Yield every metric family of a board that has a sample."""
    for section in sections_of(board, families, detail).values():
        yield from section()


def _section(family: Family[Any], reading: Reading[Any], name: str, detail: PageDetail) -> Section:
    def families() -> Iterator[MetricFamily]:
        if not reading.snapshots:  # a centre without surveys pays nothing for their figures
            return
        for figure in family.figures:
            if figure.section == name and figure.metric is not None:
                found = MetricFamily(figure.metric, tuple(_blocks(family, figure, figure.metric, reading, detail)))
                if found.size:  # no sample is no series, and no HELP line either
                    yield found

    return families


def _blocks(
    family: Family[Any], figure: Figure[Any], metric: Metric, reading: Reading[Any], detail: PageDetail
) -> Iterator[Block | Buckets]:
    series, chosen = _series(figure, metric, reading)
    if figure.buckets is not None:
        bounds = {"coarse": figure.coarse, "full": metric.buckets, "none": ()}[detail.histograms]
        yield Buckets(series, *figure.buckets(reading), bounds)
        return
    columns = {(): figure.column} if figure.column else {(value,): column for value, column in figure.by.items()}
    for window in _windows(family, figure, detail):
        for tail, column in columns.items():
            samples = column(reading, window)
            # Columns have a value for every snapshot; some snapshots have no such figure.
            if chosen is not None:
                samples = [samples[place] for place in chosen]
            yield Block(series, samples, (window, *tail) if figure.windowed else tail)


def _windows(family: Family[Any], figure: Figure[Any], detail: PageDetail) -> Sequence[str]:
    if not figure.windowed:
        return ("",)
    if detail.windows is not None:
        return family.windows_among(detail.windows)
    return family.windows if figure.written_in is None else figure.written_in


def _series(figure: Figure[Any], metric: Metric, reading: Reading[Any]) -> tuple[Series, Sequence[int] | None]:
    """Return the rendered labels of the snapshots that have a figure, and which those are; None: all of them."""
    names = metric.labels[: len(metric.labels) - figure.windowed - bool(figure.by)]
    labels_of = figure.labels_of
    # Labels are escaped and joined once per reading: a page repeats them in every figure and window.
    if labels_of is None:
        return reading.once(("series", None), lambda: Series.of(names, [one.key for one in reading.snapshots])), None
    found = reading.once(("labels", labels_of), lambda: [labels_of(one) for one in reading.snapshots])
    chosen = [place for place, labels in enumerate(found) if labels is not None]
    rows = [labels for labels in found if labels is not None]
    return reading.once(("series", labels_of), lambda: Series.of(names, rows)), chosen
