"""Every query of the committed dashboards, as Grafana would send it."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scripts.dashboards.frame import TOGETHER

__all__ = [
    "ALL_OF_IT",
    "LANGUAGE",
    "Shown",
    "dashboards",
    "names_in",
    "panels_of",
    "queries_of",
    "substituted",
    "variables_of",
]

DASHBOARDS = Path(__file__).parents[2] / "grafana" / "dashboards"
LANGUAGE = "en"

ALL_OF_IT: Mapping[str, str] = {
    "__rate_interval": "15s",
    "__range": "60s",
    "window": "30m",
    "case_window": "today",
    "days": "7d",
    **dict.fromkeys(("customer_window", "period"), "30d"),
    **dict.fromkeys(("plan", "group"), TOGETHER),
    **dict.fromkeys(("job", "instance", "tenant", "queue", "channel"), ".+"),
}
"""What variables are replaced by when a reader chooses everything."""

_IN_QUOTES = re.compile(r'"[^"]*"')


class Shown(NamedTuple):
    """One query of a panel."""

    dashboard: str
    panel: str
    letter: str
    kind: str
    """Type of the panel; `annotation` for none."""
    expr: str
    instant: bool
    legend: str
    unit: str
    in_words: bool
    """Whether ranges of the value are shown as words."""
    columns: frozenset[str]
    """Labels that a table has columns for."""

    def __str__(self) -> str:
        return f"{self.dashboard} / {self.panel} / {self.letter}: {self.expr}"


def dashboards(language: str = LANGUAGE) -> dict[str, dict[str, Any]]:
    """Return the committed dashboards of a language by the names of their files."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((DASHBOARDS / language).glob("*.json"))}


def panels_of(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the panels that show something: headings do not."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries_of(name: str, dashboard: Mapping[str, Any]) -> Iterator[Shown]:
    """Yield every query of every panel, and of what is marked in all of them."""
    yield from (_annotated(name, one) for one in dashboard.get("annotations", {}).get("list", []))
    for panel in panels_of(dashboard):
        renamed = _renamed(panel)
        for target in panel["targets"]:
            properties = _properties(panel, target["refId"], renamed)
            yield Shown(
                dashboard=name,
                panel=panel["title"],
                letter=target["refId"],
                kind=panel["type"],
                expr=target["expr"],
                instant=target.get("instant", False),
                legend=target.get("legendFormat", ""),
                unit=properties.get("unit", ""),
                in_words=any(one["type"] == "range" for one in properties.get("mappings", [])),
                columns=frozenset(label for label in renamed if not label.startswith("Value")),
            )


def _annotated(name: str, one: Mapping[str, Any]) -> Shown:
    return Shown(
        dashboard=name,
        panel=one["name"],
        letter="",
        kind="annotation",
        expr=one["expr"],
        instant=False,
        legend=one["titleFormat"],
        unit="",
        in_words=False,
        columns=frozenset(),
    )


def variables_of(dashboard: Mapping[str, Any]) -> dict[str, str]:
    """Return the query of every variable that asks one."""
    variables = dashboard["templating"].get("list", [])
    return {one["name"]: one["query"]["query"] for one in variables if one["type"] == "query"}


def substituted(expr: str, values: Mapping[str, str] = ALL_OF_IT) -> str:
    """Return a query with its variables filled in; KeyError for one that nobody knows."""
    return re.sub(r"\$([A-Za-z_]\w*)|\$\{(\w+)\}", lambda found: values[found[1] or found[2]], expr)


def names_in(expr: str) -> set[str]:
    """Return the names of the metrics that a query asks for."""
    return set(re.findall(r"\bcontact_\w+", _IN_QUOTES.sub("", expr)))


def _renamed(panel: Mapping[str, Any]) -> dict[str, str]:
    for step in panel.get("transformations", []):
        if step["id"] == "organize":
            names: dict[str, str] = step["options"]["renameByName"]
            return names
    return {}


def _properties(panel: Mapping[str, Any], letter: str, renamed: Mapping[str, str]) -> dict[str, Any]:
    """Return what the field of a query has of its own, over what holds for the whole panel."""
    column = renamed.get(f"Value #{letter}", renamed.get("Value"))
    properties = dict(panel["fieldConfig"]["defaults"])
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] in {letter, column}:
            properties |= {one["id"]: one["value"] for one in override["properties"]}
    return properties
