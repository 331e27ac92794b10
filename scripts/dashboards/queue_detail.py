"""One queue, or a few: now, service level in all windows and formulas, volumes, waits, exits, agents.

Figures, volumes and exits follow the catalogue: a row there and its word in five languages is a panel or column here.
"""

from collections.abc import Iterator, Sequence

from grafana_foundation_sdk.builders import table, timeseries
from grafana_foundation_sdk.models import dashboard

from scripts.dashboards.banner import banner
from scripts.dashboards.formulas import by_formula
from scripts.dashboards.frame import Page, framed
from scripts.dashboards.layout import Row
from scripts.dashboards.panels import Look, Value, heat, lines, numbers, plain, told, worst_first
from scripts.dashboards.queries import EVERY, QUEUE, quantity
from scripts.dashboards.queues import queue_labels
from stream.app.catalogue import SECTIONS
from stream.core.metric import Kind
from stream.core.windows import DEFAULT_WINDOW
from stream.families.contacts.figures import COUNTED, FIGURES, REASONED

__all__ = ["key_of", "queue_detail"]

ABOUT = "One queue or a few: what waits now, the service level in all windows and formulas, volumes, waits and exits."

LEGEND = "{{tenant}} · {{queue}} · {{channel}}"
WRITTEN = frozenset(
    figure.metric.name for figure in FIGURES if figure.metric and DEFAULT_WINDOW in (figure.written_in or ())
)
"""What is there in the windows that people look at; what else is counted, counters tell."""

RATIOS = tuple(one.name for one in SECTIONS["windows"] if one.name in WRITTEN and "contact_window_" not in one.name)
"""Ratios and means: those that a window has besides what it counted."""

SELDOM = tuple(field for field in COUNTED if f"contact_window_{field}" not in WRITTEN and field != "handled")
"""What most queues never count."""

RANGE = "$__range"

LEVEL, TARGET = "contact_service_level_ratio", "contact_service_level_target_ratio"

HANDLING = ("talk", "hold", "wrapup")
"""What handle time is made of."""

FLOWS = {
    "offered": "contact_offered_total",
    "answered": "contact_answered_total",
    "abandoned": "contact_abandoned_total",
    "handled": "contact_handle_seconds_count",
}


def key_of(name: str) -> str:
    """Return the word of a metric: its name without prefix and unit."""
    bare = name.removeprefix("contact_").removeprefix("window_").removesuffix("_total")
    return bare.removesuffix("_ratio").removesuffix("_seconds")


def queue_detail(page: Page) -> dashboard.Dashboard:
    """Return the dashboard of the chosen queues."""
    sections = (
        _now(page),
        _service_level(page),
        _figures(page),
        _volumes(page),
        _waits(page),
        _exits(page),
        _agents(page),
        _promises(page),
    )
    rows = [banner(page, 3), *(row for section in sections for row in section)]
    return framed(page, "queue-detail", rows, about=ABOUT, alerts="queue")


def _now(page: Page) -> Iterator[Row]:
    tiles = []
    for name in (one.name for one in SECTIONS["now"]):
        total = page.scope.total(name)
        expr = total.replace("sum (", "max (", 1) if quantity(name).unit == "seconds" else total
        value = Value(name=page.words[key_of(name)], expr=expr, look=plain(name, colour="#2b3b55"))
        tiles.append(numbers(page.words[key_of(name)], told(name), [value], name=False))
    yield Row(4, tiles)


def _service_level(page: Page) -> Iterator[Row]:
    scope, word = page.scope, page.words
    yield Row(1, title=word["service_level"])
    level = Value(name=LEGEND, expr=scope.each(LEVEL), look=plain(LEVEL))
    target = Value(name=f"{word['service_level_target']}: {LEGEND}", expr=scope.each(TARGET), look=plain(TARGET))
    state = numbers(word["state"], told(LEVEL), [Value(name=LEGEND, expr=scope.state(), look=page.state)])
    yield Row(8, (lines(word["service_level"], told(LEVEL, TARGET), [level, target]), state), (16, 8))
    labels = queue_labels(page) | {"window": word["window"]}
    columns = [
        Value(name=word[key_of(name)], expr=scope.each(name, (*QUEUE, "window"), window=EVERY), look=plain(name))
        for name in RATIOS
    ]
    yield Row(8, (worst_first(word["in_windows"], told(*RATIOS), labels, columns),))
    yield Row(7, (_formulas(page),))


def _formulas(page: Page) -> table.Panel:
    formulas = by_formula(page.scope)
    columns = [Value(name=letter, expr=expr, look=plain(LEVEL)) for letter, expr in formulas.items()]
    labels = queue_labels(page) | {"formula": page.words["formula_of_queue"]}
    about = told(LEVEL, "contact_queue_policy_info")
    return worst_first(page.words["formulas"], about, labels, columns)


def _figures(page: Page) -> Iterator[Row]:
    yield Row(1, title=page.words["in_windows"])
    panels = [*(_figure(page, name) for name in RATIOS if name != LEVEL), _mean_abandon(page)]
    yield from (
        Row(8, panels[start : start + 3], _widths(panels[start : start + 3])) for start in range(0, len(panels), 3)
    )


def _figure(page: Page, name: str) -> timeseries.Panel:
    value = Value(name=LEGEND, expr=page.scope.each(name), look=plain(name))
    return lines(page.words[key_of(name)], told(name), [value])


def _mean_abandon(page: Page) -> timeseries.Panel:
    given_up, unknown, waits = (
        page.scope.increase(f"contact_{name}_total", QUEUE, over="1h")
        for name in ("abandoned", "abandoned_wait_unknown", "abandon_wait_seconds")
    )
    known = f"(({given_up} - ({unknown} or {given_up} * 0)) > 0)"
    name = "contact_mean_abandon_seconds"
    value = Value(name=LEGEND, expr=f"{waits} / {known}", look=plain(name))
    return lines(page.words[key_of(name)], f"{told(name)}\n\nOver the last hour.", [value])


def _volumes(page: Page) -> Iterator[Row]:
    scope, word = page.scope, page.words
    yield Row(1, title=word["volumes"])
    offered = Value(name="{{channel}}", expr=scope.increase("contact_offered_total", ("channel",)), look=_count())
    flows = [Value(name=word[flow], expr=scope.increase(name), look=_count()) for flow, name in FLOWS.items()]
    about = "Contacts per interval of the picture."
    channels = lines(word["volume_by_channel"], f"{told('contact_offered_total')} {about}", [offered], stacked=True)
    yield Row(8, [each.interval("1m") for each in (_flows(page, flows, about), channels)])
    counted = [
        name
        for name in ("contact_window_decided", *(f"contact_window_{field}" for field in COUNTED))
        if name in WRITTEN
    ]
    columns = [Value(name=word[key_of(name)], expr=scope.each(name), look=plain(name)) for name in counted]
    yield Row(7, (worst_first(word["request_volume"], told(*counted), queue_labels(page), columns),))
    yield Row(7, (_seldom(page),))


def _seldom(page: Page) -> table.Panel:
    names = [f"contact_{field}_total" for field in SELDOM]
    columns = [
        Value(name=page.words[key_of(name)], expr=page.scope.increase(name, QUEUE, over=RANGE), look=_count())
        for name in names
    ]
    return worst_first(page.words["in_time_range"], told(*names), queue_labels(page), columns)


def _flows(page: Page, flows: Sequence[Value], about: str) -> timeseries.Panel:
    told_of = told(*FLOWS.values())
    return lines(page.words["request_volume"], f"{told_of}\n\n{about}", flows)


def _waits(page: Page) -> Iterator[Row]:
    yield Row(1, title=page.words["waits"])
    for key, name in (("wait", "contact_wait_seconds"), ("handle_time", "contact_handle_seconds")):
        buckets = page.scope.increase(f"{name}_bucket", ("le",))
        map_of = heat(page.words[key], told(name), Value(name="{{le}}", expr=buckets, look=plain(name)))
        rate = page.scope.rate(f"{name}_bucket", ("le",))
        shares = [
            Value(name=f"{share:.0%}", expr=f"histogram_quantile ({share}, {rate})", look=plain(name))
            for share in (0.5, 0.8, 0.95)
        ]
        percentiles = lines(f"{page.words[key]}: {page.words['percentiles']}", told(name), shares)
        yield Row(8, [each.interval("1m") for each in (map_of, percentiles)])
    spent = [f"contact_{part}_seconds_total" for part in HANDLING]
    handled = f"({page.scope.increase('contact_handle_seconds_count', over='1h')} > 0)"
    means = [
        Value(
            name=page.words[key_of(name)],
            expr=f"{page.scope.increase(name, over='1h')} / {handled}",
            look=plain("contact_aht_seconds"),
        )
        for name in spent
    ]
    about = f"{told('contact_aht_seconds', *spent)}\n\nOver the last hour."
    yield Row(8, (lines(page.words["aht"], about, means, stacked=True),))


def _exits(page: Page) -> Iterator[Row]:
    yield Row(1, title=page.words["exits"])
    panels = []
    for prefix in REASONED:
        name = f"contact_{prefix}_total"
        value = Value(name="{{reason}}", expr=page.scope.increase(name, ("reason",)), look=_count())
        panels.append(lines(page.words[prefix], told(name), [value], stacked=True).interval("1m"))
    yield Row(8, panels)
    labels = queue_labels(page) | {"reason": page.words["reason"]}
    columns = [
        Value(name=page.words[prefix], expr=page.scope.increase(name, (*QUEUE, "reason"), over=RANGE), look=_count())
        for prefix, name in ((prefix, f"contact_{prefix}_total") for prefix in REASONED)
    ]
    about = told(*(f"contact_{prefix}_total" for prefix in REASONED))
    title = f"{page.words['exits']}: {page.words['in_time_range']}"
    yield Row(7, (worst_first(title, about, labels, columns, sort=page.words["dequeued"]),))


def _agents(page: Page) -> Iterator[Row]:
    yield Row(1, title=page.words["agents"])
    by = ("tenant", "queue", "state")
    value = Value(
        name="{{queue}} · {{state}}", expr=page.scope.parts("contact_agents", by), look=plain("contact_agents")
    )
    whole = Value(
        name="{{tenant}} · {{state}}",
        expr=page.scope.parts("contact_tenant_agents", ("tenant", "state")),
        look=plain("contact_tenant_agents"),
    )
    yield Row(
        8,
        (
            lines(page.words["agents_by_state"], told("contact_agents"), [value]),
            lines(f"{page.words['tenant']}: {page.words['agents_by_state']}", told("contact_tenant_agents"), [whole]),
        ),
    )


def _promises(page: Page) -> Iterator[Row]:
    yield Row(1, title=page.words["promises"])
    names = [one.name for one in SECTIONS["policy"] if one.kind is Kind.GAUGE]
    columns = [_promised(page, name) for name in names]
    yield Row(7, (worst_first(page.words["promises"], told(*names), queue_labels(page), columns),))


def _promised(page: Page, name: str) -> Value:
    look = page.truth if quantity(name).unit == "bool" else plain(name)
    return Value(name=page.words[key_of(name)], expr=page.scope.each(name), look=look)


def _count() -> Look:
    return Look(unit="short", decimals=0)


def _widths(panels: Sequence[object]) -> list[int]:
    return [24 // len(panels)] * len(panels)
