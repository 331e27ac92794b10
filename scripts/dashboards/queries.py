"""PromQL over the metrics of the catalogue: selectors, and sums that stay right with several workers.

A queue lives on one worker, agents on all: of a queue's gauges the largest is taken (while a queue is handed over two
workers may show it within one scrape), of agents the sum. Asking for a metric that the catalogue lacks is a KeyError.
"""

from msgspec import Struct
from msgspec.structs import replace

from stream.app.catalogue import BY_NAME, metric
from stream.core.judgement import MARGIN
from stream.core.metric import Metric

__all__ = ["EVERY", "PARTITION", "QUEUE", "STATE", "Scope", "quantity", "standing", "weighted"]

QUEUE = ("tenant", "queue", "channel")
PARTITION = ("topic", "partition")
EVERY = ".+"
"""Matches every value of a label that there is."""

_CHOSEN = (*QUEUE, "window")
"""Labels that a reader chooses by a variable of that name."""

_MEMBERS = ("plan", "group")
"""The same of customers, where nothing else is told of them."""

SHARED_WINDOW = "30m"
"""What a dashboard without variables shows."""


class Scope(Struct, frozen=True, kw_only=True):
    """Which series a dashboard asks for."""

    variables: bool = True
    """Whether a reader chooses; shared screens know no variables."""
    offset: str = ""
    window: str = "window"
    """The variable that holds the window."""

    @property
    def last_week(self) -> "Scope":
        """The same series a week ago."""
        return self.ago("1w")

    def ago(self, length: str) -> "Scope":
        """Return the same series so long ago."""
        return replace(self, offset=f" offset {length}")

    def series(self, name: str, over: str = "", **equals: str) -> str:
        """Return a selector of the series called *name*, *over* a range (`5m`) or not; `channel="!voice"` negates."""
        labels = quantity(name).labels
        matchers = [*self._where(), *self._chosen(labels, equals), *(_matcher(*pair) for pair in equals.items())]
        return self._selected(name, matchers, over)

    def firing(self, concerns: str) -> str:
        """Return the alerts that fire and concern the `queue`s or `customers` that are chosen, or the `feed`."""
        chosen = self._chosen({"queue": QUEUE, "customers": ("tenant",)}.get(concerns, ()), {})
        return self._selected("ALERTS", ['alertstate="firing"', f'concerns="{concerns}"', *chosen], "")

    def up(self) -> str:
        """Return what Prometheus says of jobs that had workers within the hour: 1 for each target that answers it."""
        workers = self.series("contact_ready", "1h")
        return f"{self._selected('up', self._where(), '')} and on (job) max by (job) (max_over_time ({workers}))"

    def each(self, name: str, by: tuple[str, ...] = QUEUE, **equals: str) -> str:
        """Return a gauge by queue (or what else has one owner), once even while it changes hands."""
        return f"max by ({', '.join(by)}) ({self.series(name, **equals)})"

    def total(self, name: str, by: tuple[str, ...] = (), **equals: str) -> str:
        """Return the sum of a gauge over queues, by some of their labels."""
        return f"{_sum(by)} ({self.each(name, quantity(name).labels, **equals)})"

    def parts(self, name: str, by: tuple[str, ...] = (), **equals: str) -> str:
        """Return the sum of a gauge of which every worker shows a part."""
        return f"{_sum(by)} ({self.series(name, **equals)})"

    def increase(self, name: str, by: tuple[str, ...] = (), *, over: str = "$__rate_interval", **equals: str) -> str:
        """Return what a counter has counted, by some labels, over all workers."""
        return f"{_sum(by)} (increase({self.series(name, over, **equals)}))"

    def rate(self, name: str, by: tuple[str, ...] = (), **equals: str) -> str:
        """Return how fast a counter counts, per second."""
        return self.increase(name, by, **equals).replace("(increase(", "(rate(", 1)

    def gap(self) -> str:
        """Return service level minus target by queue: below 0 the promise is broken."""
        level, target = self.each("contact_service_level_ratio"), self.each("contact_service_level_target_ratio")
        return f"{level} - {target}"

    def state(self) -> str:
        """Return how each queue stands, as the live board says it, in the numbers of `STATE`: worse is more."""
        target, past = self.each("contact_service_level_target_ratio"), self.each("contact_waiting_past_threshold")
        return standing(self.gap(), target, past)

    def _where(self) -> list[str]:
        return ['job=~"$job"', 'instance=~"$instance"'] if self.variables else []

    def _chosen(self, labels: tuple[str, ...], told: dict[str, str]) -> list[str]:
        free = [label for label in labels if label in _CHOSEN and not (label == "window" and label in told)]
        # What surveys know by group has no plan, and no variable.
        free += [label for label in _MEMBERS if "plan" in labels and label not in told]
        if not self.variables:
            return [f'window="{SHARED_WINDOW}"'] if "window" in free else []
        return [f'window="${self.window}"' if label == "window" else f'{label}=~"${label}"' for label in free]

    def _selected(self, name: str, matchers: list[str], over: str) -> str:
        return name + (f"{{{', '.join(matchers)}}}" if matchers else "") + (f"[{over}]" if over else "") + self.offset


STATE = {"state_no_sample": (0, 0), "state_ok": (1, 1), "state_at_risk": (2, 2), "state_breached": (3, 4)}
"""Words for the numbers of `Scope.state`, each from and to."""


def standing(gap: str, target: str, past: str) -> str:
    """Return, in the numbers of `STATE`, how queues stand: by what is above their *target*, and who is *past* it."""
    close = f"(({gap}) < clamp_max((1 - {target}) / 2, {MARGIN}))"
    return f"(3 - (({gap}) < 0)) or ({close} * 0 + 2) or (({past} > 0) * 0 + 2) or (({gap}) * 0 + 1) or ({target} * 0)"


def weighted(ratio: str, weight: str) -> str:
    """Return the mean of *ratio*, weighted: both by queue; a queue without a ratio weighs nothing."""
    return f"sum (({ratio}) * ({weight})) / (sum (({weight}) and ({ratio})) > 0)"


def quantity(name: str) -> Metric:
    """Return the metric that a series belongs to: a histogram has `_bucket`, `_sum` and `_count`."""
    return BY_NAME.get(name) or metric(name.rpartition("_")[0])


def _sum(by: tuple[str, ...]) -> str:
    return f"sum by ({', '.join(by)})" if by else "sum"


def _matcher(label: str, value: str) -> str:
    if value.startswith("!"):
        return f'{label}!="{value[1:]}"'
    return f'{label}=~"{value}"' if value == EVERY else f'{label}="{value}"'
