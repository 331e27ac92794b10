"""Panels of the kinds we use: big numbers, tables, lines, heatmaps. Colours always come with a word or a number."""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.builders import heatmap, prometheus, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode
from msgspec import Struct

from scripts.dashboards.queries import quantity

__all__ = [
    "AMBER",
    "GREEN",
    "GREY",
    "NO_SAMPLE",
    "RED",
    "UNITS",
    "Look",
    "Value",
    "Words",
    "heat",
    "lines",
    "numbers",
    "plain",
    "states",
    "told",
    "worst_first",
]

GREEN, AMBER, RED, GREY = "semi-dark-green", "semi-dark-orange", "semi-dark-red", "#5a5f66"

NO_SAMPLE = "–"
"""What did not happen is not zero: the same sign as on the live board."""

UNITS: Mapping[str, str] = {"seconds": "dthms", "ratio": "percentunit", "bool": "none", "offset": "none"}
"""Grafana's units for those of the catalogue; what is counted needs none but `short`."""

NARROW = 90
"""Pixels of a column at least: the queues with all their figures fit a screen of 1920 without scrolling sideways."""

_DASHES: Mapping[str, object] = {"fill": "dash", "dash": [10, 10]}

_NAMED = [
    dashboard.DynamicConfigValue(id_val="custom.minWidth", value=140),
    dashboard.DynamicConfigValue(id_val="custom.filterable", value=True),  # its sign takes the room of a title
]
"""Of columns that tell names."""

Words = Mapping[tuple[float, float], tuple[str, str]]
"""Words and colours for ranges of a value, both ends inclusive."""


class Look(Struct, frozen=True, kw_only=True):
    """How a value is shown: with words for ranges, with thresholds and their direction, or plainly."""

    unit: str
    words: Words = {}
    steps: tuple[tuple[float | None, str], ...] = ()
    """From which value on which colour; the first is None."""
    decimals: int | None = None
    colour: str | None = None
    """Of a value that is neither good nor bad."""
    nothing: tuple[str, str] = (NO_SAMPLE, GREY)
    """Word and colour where there is no value, and also where nobody answers."""


class Value(Struct, frozen=True, kw_only=True):
    """One query and how its answer is shown."""

    name: str
    """As a legend or a column's title; `{{label}}` is filled in."""
    expr: str
    look: Look
    dashed: bool = False
    """Whether its line is, as of what may still change, or of what others are compared with."""


def told(*names: str) -> str:
    """Return what the catalogue says of metrics."""
    found = [quantity(name) for name in names]
    return "\n\n".join(one.meaning + (f"\n\n`{one.formula}`" if one.formula else "") for one in found)


def unit_of(name: str) -> str:
    """Return Grafana's unit for a metric of the catalogue; instants are ages in the queries."""
    return UNITS.get(quantity(name).unit, "short")


def plain(name: str, *, colour: str | None = None) -> Look:
    """Return the plain look of a metric."""
    return Look(unit=unit_of(name), decimals=1 if quantity(name).unit == "ratio" else None, colour=colour)


def numbers(title: str, description: str, values: Sequence[Value], *, name: bool = True) -> stat.Panel:
    """Return big numbers, side by side: one for each value, or series of it."""
    word, colour = values[0].look.nothing
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .color_mode(common.BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(common.BigValueGraphMode.NONE)
        .text_mode(common.BigValueTextMode.VALUE_AND_NAME if name else common.BigValueTextMode.VALUE)
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .unit(values[0].look.unit)
        .no_value(word)
        .mappings([_nothing(values[0].look)])
        .thresholds(_thresholds(((None, colour),)))
    )
    for letter, value in _lettered(values):
        panel.with_target(_query(letter, value).instant())
        panel.override_by_query(letter, _properties(value.look))
    return panel


def worst_first(  # a table is as wide as what it tells
    title: str,
    description: str,
    labels: Mapping[str, str],
    values: Sequence[Value],
    *,
    links: Mapping[str, dashboards.DashboardLink] | None = None,
    sort: str | None = None,
) -> table.Panel:
    """Return a table: a row for each set of *labels* (with titles), a column for each value; most of *sort* first."""
    panel = table.Panel().title(title).description(description).no_value(NO_SAMPLE)
    panel.min_width(NARROW).unit("short").thresholds(_thresholds(((None, "transparent"),)))
    names: dict[str, str] = dict(labels)
    for letter, value in _lettered(values):
        panel.with_target(_query(letter, value).instant().format(PromQueryFormat.TABLE))
        names[f"Value #{letter}" if len(values) > 1 else "Value"] = value.name
        panel.override_by_name(value.name, [*_properties(value.look), *_cell(value.look)])
    for label in labels.values():
        panel.override_by_name(label, _NAMED)
    order = {name: place for place, name in enumerate(names)}
    panel.with_transformation(dashboard.DataTransformerConfig(id_val="merge", options={}))
    options = {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": names}
    panel.with_transformation(dashboard.DataTransformerConfig(id_val="organize", options=options))
    for column, link in (links or {}).items():
        panel.override_by_name(column, [dashboard.DynamicConfigValue(id_val="links", value=[link.build()])])
    if sort is not None:
        panel.sort_by([common_builders.TableSortByFieldState().display_name(sort).desc(True)])
    return panel


def lines(
    title: str,
    description: str,
    values: Sequence[Value],
    *,
    stacked: bool = False,
    whole: bool = True,
) -> timeseries.Panel:
    """Return lines over time; where nothing happened there is a gap, not zero. A share of a *whole* is at most 1."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .unit(values[0].look.unit)
        .no_value(NO_SAMPLE)
        .line_width(2)
        .fill_opacity(25 if stacked else 0)
        .span_nulls(False)
        .legend(common_builders.VizLegendOptions().show_legend(True).placement(common.LegendPlacement.RIGHT))
        .tooltip(common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
    )
    if stacked:
        panel.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    if values[0].look.unit == "percentunit":
        panel.min(0)
        if whole:
            panel.max(1)
    for letter, value in _lettered(values):
        panel.with_target(_query(letter, value).range())
        own: dict[str, object] = {"unit": value.look.unit} if value.look.unit != values[0].look.unit else {}
        properties = own | ({"custom.lineStyle": _DASHES} if value.dashed else {})
        if properties:
            panel.override_by_query(
                letter, [dashboard.DynamicConfigValue(id_val=name, value=one) for name, one in properties.items()]
            )
    return panel


def heat(title: str, description: str, value: Value) -> heatmap.Panel:
    """Return the buckets of a histogram of seconds over time."""
    return (
        heatmap.Panel()
        .title(title)
        .description(description)
        .unit("short")
        .no_value(NO_SAMPLE)
        .calculate(False)
        .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues").steps(32))
        .y_axis(heatmap.YAxisConfig().unit("s"))  # as hours, minutes and seconds they are cut off
        .with_target(_query("A", value).range().format(PromQueryFormat.HEATMAP))
    )


def states(title: str, description: str, values: Sequence[Value]) -> statetimeline.Panel:
    """Return bars over time that change their colour and word with the value."""
    panel = (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .unit("none")
        .no_value(NO_SAMPLE)
        .mappings(_mappings(values[0].look))
    )
    for letter, value in _lettered(values):
        panel.with_target(_query(letter, value).range())
    return panel


def _lettered(values: Sequence[Value]) -> list[tuple[str, Value]]:
    """Return each value with the letter that its query goes by; ValueError when letters do not suffice."""
    return list(zip(ascii_uppercase[: len(values)], values, strict=True))


def _query(letter: str, value: Value) -> prometheus.Dataquery:
    query = prometheus.Dataquery().ref_id(letter).expr(value.expr).legend_format(value.name)
    return query.editor_mode(QueryEditorMode.CODE)


def _properties(look: Look) -> list[dashboard.DynamicConfigValue]:
    told_colour = None if look.colour is None else {"mode": "fixed", "fixedColor": look.colour}
    properties = {
        "unit": look.unit,
        "decimals": look.decimals,
        "mappings": _mappings(look),
        "thresholds": _thresholds(look.steps).build() if look.steps else None,
        "color": told_colour or ({"mode": "thresholds"} if look.steps or look.words else None),
    }
    return [
        dashboard.DynamicConfigValue(id_val=key, value=value) for key, value in properties.items() if value is not None
    ]


def _cell(look: Look) -> list[dashboard.DynamicConfigValue]:
    """Colour the cells of what can be good or bad."""
    if not (look.words or look.steps):
        return []
    return [
        dashboard.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-background", "mode": "basic"})
    ]


def _thresholds(steps: Sequence[tuple[float | None, str]]) -> dashboards.ThresholdsConfig:
    return (
        dashboards.ThresholdsConfig()
        .mode(dashboard.ThresholdsMode.ABSOLUTE)
        .steps([dashboard.Threshold(value=value, color=colour) for value, colour in steps])
    )


def _mappings(look: Look) -> list[dashboard.ValueMapping]:
    ranges: list[dashboard.ValueMapping] = [
        dashboard.RangeMap(
            options=dashboard.DashboardRangeMapOptions(
                from_val=low, to=high, result=dashboard.ValueMappingResult(text=text, color=colour)
            )
        )
        for (low, high), (text, colour) in look.words.items()
    ]
    return [*ranges, _nothing(look)]


def _nothing(look: Look) -> dashboard.SpecialValueMap:
    word, colour = look.nothing
    return dashboard.SpecialValueMap(
        options=dashboard.DashboardSpecialValueMapOptions(
            match=dashboard.SpecialValueMatch.NULL_AND_NAN,
            result=dashboard.ValueMappingResult(text=word, color=colour),
        )
    )
