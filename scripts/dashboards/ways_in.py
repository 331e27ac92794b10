"""What comes in, by the HTTP gateway and by sources. They are no workers: who chose one job sees nothing of others."""

from collections.abc import Iterator, Sequence

from grafana_foundation_sdk.builders import timeseries

from scripts.dashboards.frame import Page
from scripts.dashboards.layout import Row
from scripts.dashboards.panels import Look, Value, lines, told

__all__ = ["ways_in"]

SPEEDS = {
    "gateway_requests": ("contact_gateway_requests_total", ("status",)),
    "gateway_accepted": ("contact_gateway_events_accepted_total", ("source",)),
    "gateway_refused": ("contact_gateway_events_refused_total", ("source", "reason")),
    "gateway_set_aside": ("contact_gateway_set_aside_total", ("reason",)),
}
"""Counters of the gateway, and by what they are shown."""

SOURCE_SPEEDS = {
    "source_inputs": ("contact_source_inputs_total", ("source", "outcome", "kind")),
    "source_events": ("contact_source_events_total", ("source",)),
    "position_failures": ("contact_source_position_failures_total", ("source",)),
}

INSTANCE = ("instance",)


def ways_in(page: Page) -> Iterator[Row]:
    """Yield what the pipeline has of gateway, spool and sources."""
    yield Row(1, title=page.words["gateway"])
    yield Row(7, _speeds(page, SPEEDS))
    yield Row(7, (_spooled(page), _spool_age(page), _spool_used(page), _spool_broken(page)))
    yield Row(1, title=page.words["sources"])
    yield Row(7, (*_speeds(page, SOURCE_SPEEDS), _source_age(page), _connected(page)), (5, 5, 4, 5, 5))


def _speeds(page: Page, of: dict[str, tuple[str, tuple[str, ...]]]) -> tuple[timeseries.Panel, ...]:
    return tuple(
        lines(page.words[key], told(name), [_value(page.scope.rate(name, by), by, Look(unit="eps"))])
        for key, (name, by) in of.items()
    )


def _spooled(page: Page) -> timeseries.Panel:
    waiting, aside = "contact_gateway_spool_events", "contact_gateway_spool_aside_events"
    values = [
        _value(page.scope.each(waiting, INSTANCE), INSTANCE),
        _value(page.scope.each(aside, INSTANCE), INSTANCE, word=page.words["spool_aside"]),
    ]
    return lines(page.words["spool"], told(waiting, aside), values)


def _spool_age(page: Page) -> timeseries.Panel:
    name = "contact_gateway_spool_oldest_timestamp_seconds"
    age = f"time() - min by (instance) ({page.scope.series(name)})"
    return lines(page.words["spool_age"], told(name), [_value(age, INSTANCE, Look(unit="dthms"))])


def _spool_used(page: Page) -> timeseries.Panel:
    names = "contact_gateway_spool_bytes", "contact_gateway_spool_limit_bytes"
    used, limit = (page.scope.each(name, INSTANCE) for name in names)
    return lines(
        page.words["spool_used"], told(*names), [_value(f"{used} / {limit}", INSTANCE, Look(unit="percentunit"))]
    )


def _spool_broken(page: Page) -> timeseries.Panel:
    name = "contact_gateway_spool_broken"
    return lines(page.words["spool_broken"], told(name), [_value(page.scope.each(name, INSTANCE), INSTANCE)])


def _source_age(page: Page) -> timeseries.Panel:
    name = "contact_source_newest_event_timestamp_seconds"
    age = f"time() - max by (source) ({page.scope.series(name)})"
    return lines(page.words["source_age"], told(name), [_value(age, ("source",), Look(unit="dthms"))])


def _connected(page: Page) -> timeseries.Panel:
    name, by = "contact_source_connected", ("source", "system")
    return lines(page.words["source_connected"], told(name), [_value(page.scope.each(name, by), by)])


def _value(expr: str, by: Sequence[str], look: Look | None = None, *, word: str = "") -> Value:
    legend = [word] if word else []
    legend += [f"{{{{{label}}}}}" for label in by]
    return Value(name=" · ".join(legend), expr=expr, look=look or Look(unit="short", decimals=0))
