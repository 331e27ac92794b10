"""The rules of grafana/dashboard-linter, as tests: by their names there; exceptions have their reasons in one table."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from stream.languages.words import LANGUAGES
from tests.grafana.shown import ALL_OF_IT, dashboards, panels_of, queries_of, substituted
from tests.monitoring import program

Board = Mapping[str, Any]
Rule = Callable[[Board], Iterator[str]]

SHARED = "a shared screen has no variables"

EXCEPTIONS: Mapping[tuple[str, str], str] = {
    **{
        (rule, "wallboard-shared"): SHARED
        for rule in (
            *("template-datasource-rule", "template-job-rule", "template-instance-rule"),
            *("panel-datasource-rule", "target-job-rule", "target-instance-rule"),
        )
    },
    ("target-rate-interval-rule", "pipeline"): "what was lost is told of the whole time that is looked at",
    ("target-rate-interval-rule", "queue-detail"): "what is rare is told of the whole time, or of the last hour",
}
"""Rules that a dashboard need not keep, and why. The two rules about Loki have nothing to look at here."""

UNITS = {"short", "none", "s", "dthms", "percentunit", "eps", "time:HH:mm:ss"}
"""Those of Grafana's that we use."""

_RANGED = re.compile(r"\b(?:rate|irate|increase) ?\((\w+)\{?.*?\[(.+?)\]")
_SELECTOR = re.compile(r"\b(contact_\w+|up)\b(?!\s*\()(\{[^}]*\})?")


def _variables(board: Board) -> dict[str, Board]:
    return {one["name"]: one for one in board["templating"].get("list", [])}


def _exprs(board: Board) -> Iterator[str]:
    for query in queries_of("", board):
        yield query.expr


def template_datasource_rule(board: Board) -> Iterator[str]:
    sources = [one for one in _variables(board).values() if one["type"] == "datasource"]
    if [(one["name"], one["label"], one["query"]) for one in sources] != [("datasource", "Data source", "prometheus")]:
        yield f"{sources}"


def _template_rule(name: str) -> Rule:
    def rule(board: Board) -> Iterator[str]:
        one = _variables(board).get(name, {})
        found = one.get("type"), one.get("label"), one.get("multi"), one.get("includeAll"), one.get("allValue")
        if found != ("query", name, True, True, ".+") or one["datasource"]["uid"] != "${datasource}":
            yield f"{name}: {found}"

    return rule


def template_label_promql_rule(board: Board) -> Iterator[str]:
    for name, one in _variables(board).items():
        if one["type"] == "query" and not re.fullmatch(r"label_values\(\w+(\{.*\})?, \w+\)", one["query"]["query"]):
            yield name


def template_on_time_change_reload_rule(board: Board) -> Iterator[str]:
    for name, one in _variables(board).items():
        if one["type"] == "query" and one["refresh"] != 2:
            yield name


def panel_datasource_rule(board: Board) -> Iterator[str]:
    for panel in panels_of(board):
        if {panel["datasource"]["uid"], *(one["datasource"]["uid"] for one in panel["targets"])} != {"${datasource}"}:
            yield panel["title"]


def panel_title_description_rule(board: Board) -> Iterator[str]:
    yield from (f"{panel['id']}" for panel in panels_of(board) if not (panel["title"] and panel["description"]))


def panel_units_rule(board: Board) -> Iterator[str]:
    for panel in panels_of(board):
        overrides = [one for each in panel["fieldConfig"]["overrides"] for one in each["properties"]]
        own = panel["fieldConfig"]["defaults"].get("unit")
        units = {own, *(one["value"] for one in overrides if one["id"] == "unit")}
        if not units <= UNITS:
            yield f"{panel['title']}: {units}"


def panel_no_targets_rule(board: Board) -> Iterator[str]:
    yield from (panel["title"] for panel in panels_of(board) if not panel["targets"])


def target_rate_interval_rule(board: Board) -> Iterator[str]:
    yield from (expr for expr in _exprs(board) for _, over in _RANGED.findall(expr) if over != "$__rate_interval")


def _target_rule(name: str) -> Rule:
    def rule(board: Board) -> Iterator[str]:
        for expr in _exprs(board):
            bare = re.sub(r"\b(?:by|on|group_left) \([^)]*\)", "", expr)
            yield from (expr for _, where in _SELECTOR.findall(bare) if f'{name}=~"${name}"' not in where)

    return rule


def target_counter_agg_rule(board: Board) -> Iterator[str]:
    for expr in _exprs(board):
        counters = re.findall(r"\bcontact_\w+_total\b", expr)
        if counters != [name for name, _ in _RANGED.findall(expr) if name.endswith("_total")]:
            yield expr


def uneditable_dashboard(board: Board) -> Iterator[str]:
    if board["editable"] is not False:
        yield "it can be edited"


RULES: Mapping[str, Rule] = {
    "template-datasource-rule": template_datasource_rule,
    "template-job-rule": _template_rule("job"),
    "template-instance-rule": _template_rule("instance"),
    "template-label-promql-rule": template_label_promql_rule,
    "template-on-time-change-reload-rule": template_on_time_change_reload_rule,
    "panel-datasource-rule": panel_datasource_rule,
    "panel-title-description-rule": panel_title_description_rule,
    "panel-units-rule": panel_units_rule,
    "panel-no-targets-rule": panel_no_targets_rule,
    "target-rate-interval-rule": target_rate_interval_rule,
    "target-job-rule": _target_rule("job"),
    "target-instance-rule": _target_rule("instance"),
    "target-counter-agg-rule": target_counter_agg_rule,
    "uneditable-dashboard": uneditable_dashboard,
}
"""All but those about Loki; `target-promql-rule` asks promtool."""


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", dashboards())
def test_a_dashboard_keeps_the_rules_of_the_linter(name: str, rule: str) -> None:
    found = [said for language in LANGUAGES for said in RULES[rule](dashboards(language)[name])]

    if (rule, name) in EXCEPTIONS:
        assert found, "the exception is not needed any more"
    else:
        assert not found


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_of_the_linter_finds_what_breaks_it(rule: str) -> None:
    assert list(RULES[rule](broken_board()))


def broken_board() -> Board:
    """Return a dashboard that breaks every rule."""
    query = {"refId": "A", "expr": "rate (contact_a_total[5m]) + contact_b_total", "datasource": {"uid": "mine"}}
    bare = {"title": "", "description": "", "type": "stat", "id": 1, "datasource": {"uid": "mine"}}
    field = {"defaults": {"unit": "furlongs"}, "overrides": []}
    variable = {"type": "query", "name": "job", "refresh": 1, "query": {"query": "nothing"}}
    return {
        "panels": [{**bare, "targets": [query], "fieldConfig": field}, {**bare, "targets": [], "fieldConfig": field}],
        "templating": {"list": [variable]},
        "editable": True,
    }


def test_promtool_can_read_every_query(tmp_path: Path) -> None:
    rules = [
        {"record": f"shown:query:{number}", "expr": substituted(expr, ALL_OF_IT)}
        for number, expr in enumerate(expr for board in dashboards().values() for expr in _exprs(board))
    ]
    path = tmp_path / "queries.yml"
    path.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))

    checked = subprocess.run(
        [program("promtool"), "check", "rules", str(path)], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr
    assert f"{len(rules)} rules found" in checked.stdout
