"""What a metric is: name, kind, unit, labels, meaning. The catalogue lists ours; collector and writer use them."""

from enum import StrEnum

from msgspec import Struct

__all__ = ["Kind", "Metric", "counter", "gauge"]


class Kind(StrEnum):
    """The OpenMetrics types in use."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    INFO = "info"


class Metric(Struct, frozen=True, kw_only=True):
    """One metric of the catalogue."""

    name: str
    """As one writes it in PromQL: counters end in `_total`, infos in `_info`."""
    kind: Kind
    unit: str
    """What is counted or measured: seconds, ratio (0 to 1), contacts, agents, …"""
    labels: tuple[str, ...] = ()
    meaning: str
    """One sentence; the HELP text of the exposition."""
    formula: str = ""
    """How it is computed from other figures; empty where it is plainly counted."""
    buckets: tuple[int, ...] = ()
    """Upper bounds, inclusive, of a histogram, without +Inf."""

    @property
    def family(self) -> str:
        """The name of the OpenMetrics family: without `_total` and `_info`."""
        match self.kind:
            case Kind.COUNTER:
                return self.name.removesuffix("_total")
            case Kind.INFO:
                return self.name.removesuffix("_info")
            case _:
                return self.name

    @property
    def family_unit(self) -> str:
        """The OpenMetrics UNIT: empty unless the family's name ends with it, as the standard demands."""
        return self.unit if self.family.endswith(f"_{self.unit}") and self.kind is not Kind.INFO else ""


def gauge(  # as many as a metric has fields
    name: str, unit: str, labels: tuple[str, ...], meaning: str, formula: str = "", *, kind: Kind = Kind.GAUGE
) -> Metric:
    """Return a gauge, or another metric of the same shape."""
    return Metric(name=name, kind=kind, unit=unit, labels=labels, meaning=meaning, formula=formula)


def counter(name: str, unit: str, labels: tuple[str, ...], meaning: str, formula: str = "") -> Metric:
    """Return a counter."""
    return gauge(name, unit, labels, meaning, formula, kind=Kind.COUNTER)
