"""The alerts that Grafana evaluates are those that Prometheus does."""

import re
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
import yaml

from scripts.alerts.files import ALERTS, PROVISIONED, RECORDINGS, RULES
from scripts.alerts.grafana import PROMETHEUS_YML
from stream.app.policy_file import policies_of
from stream.app.replay import replay
from stream.http.exposition import TextFormat, written
from stream.status.metrics import feed_families
from tests.alerting import CONFIGURATION
from tests.alerts.stories import Scrapes, judge
from tests.alerts.test_feed_alerts import all_workers_are_dead, scrapes
from tests.alerts.test_queue_alerts import half
from tests.board.boards import NOON, families_of
from tests.families.customers.told import customer_event
from tests.families.everything import a_busy_board, a_busy_feed
from tests.monitoring import Prometheus, configuration, prometheus
from tests.timeline import event

Yaml = dict[str, Any]
PACE = ("group_wait", "group_interval", "repeat_interval")


def provisioned(name: str) -> Yaml:
    document: Yaml = yaml.safe_load((PROVISIONED / f"{name}.yaml").read_text())
    assert document["apiVersion"] == 1
    return document


BY_GRAFANA = {rule["title"]: rule for group in provisioned("rules")["groups"] for rule in group["rules"]}
BY_PROMETHEUS = {
    rule["alert"]: rule
    for group in yaml.safe_load(RULES.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}


def queries(rule: Yaml) -> dict[str, str]:
    return {one["refId"]: one["model"]["expr"] for one in rule["data"] if "expr" in one["model"]}


def test_both_have_all_alerts() -> None:
    assert BY_GRAFANA.keys() == BY_PROMETHEUS.keys() == {alert.name for alert in ALERTS}


@pytest.mark.parametrize("name", BY_GRAFANA)
def test_both_ask_the_same_for_as_long_and_route_alike(name: str) -> None:
    ours, theirs = BY_GRAFANA[name], BY_PROMETHEUS[name]

    wrapped = f"(\n{indent(theirs['expr'], '  ')}\n)\nunless on "
    assert queries(ours)["Value"] == theirs["expr"] or queries(ours)["Value"].startswith(wrapped)
    assert ours["labels"] == theirs["labels"]
    assert (ours["for"], ours["keepFiringFor"]) == (theirs.get("for", "0m"), theirs.get("keep_firing_for", "0m"))
    assert ours["annotations"].keys() == theirs["annotations"].keys()


def assert_grafana_tells(scrapes: Scrapes, told: Mapping[str, set[str]], home: Path) -> None:
    """Let promtool judge: at each time just these alerts of Grafana's fire, beside Prometheus' own."""
    lengths = {"for": "for", "keepFiringFor": "keep_firing_for"}
    rules = [
        {"alert": f"Grafana/{name}", "expr": queries(rule)["Value"]}
        | {theirs: rule[ours] for ours, theirs in lengths.items()}
        for name, rule in BY_GRAFANA.items()
        if rule["labels"]["concerns"] != "watchdog"
    ]
    (mine := home / "grafana.yml").write_text(yaml.safe_dump({"groups": [{"name": "grafana", "rules": rules}]}))
    checks = [
        {
            "expr": 'count by (alertname) (ALERTS{alertstate="firing", alertname=~"Grafana/.*"})',
            "eval_time": at,
            "exp_samples": [{"labels": f'{{alertname="Grafana/{name}"}}', "value": 1} for name in names],
        }
        for at, names in told.items()
    ]
    judge({"promql_expr_test": checks}, scrapes, home, rules=[RULES, mine])


def test_of_a_queue_grafana_tells_the_worst_only(tmp_path: Path) -> None:
    collapsed = {"ContactServiceLevelCollapsed"}
    told = {"46m": {"ContactLongestWait"}, "50m": {"ContactServiceLevelMissed"}, "1h1m": collapsed, "1h9m": collapsed}

    assert_grafana_tells(half(), told, tmp_path)


def test_of_a_feed_grafana_tells_the_cause_only(tmp_path: Path) -> None:
    assert_grafana_tells(scrapes(all_workers_are_dead), {"9m": set(), "20m": {"ContactNoWorker"}}, tmp_path)


def test_grafana_waits_for_the_worst_of_a_queue_as_long_as_alertmanager() -> None:
    [policy] = provisioned("policies")["policies"]
    theirs = yaml.safe_load(CONFIGURATION.read_text())["route"]
    paces = [
        [{key: one[key] for key in PACE if key in one} for one in (tree, *tree["routes"])] for tree in (policy, theirs)
    ]

    assert paces[0] == paces[1]


@pytest.mark.parametrize("name", BY_GRAFANA)
def test_a_condition_is_met_by_any_value_that_the_query_leaves(name: str) -> None:
    rule = BY_GRAFANA[name]
    condition = rule["data"][-1]

    assert condition["refId"] == rule["condition"]
    assert condition["model"]["expression"] == "Value"
    assert condition["model"]["conditions"] == [{"evaluator": {"type": "gt", "params": [-1]}}]


def test_environment_variables_are_only_where_grafana_replaces_them_not_in_rules() -> None:
    texts = {path.stem: path.read_text() for path in PROVISIONED.glob("*.yaml")}
    found = {name: set(re.findall(r"\$(?:\{\w+\}|\w*)", text)) for name, text in texts.items()}

    assert {name: names for name, names in found.items() if names} == {
        "contact-points": {"${ALERTS_NOTIFY}", "$__file"}
    }


@pytest.mark.parametrize("name", BY_GRAFANA)
def test_links_lead_where_those_of_prometheus_do_and_to_this_grafana(name: str) -> None:
    ours, theirs = BY_GRAFANA[name]["annotations"], BY_PROMETHEUS[name]["annotations"]
    runbook = yaml.safe_load(PROMETHEUS_YML.read_text())["global"]["external_labels"]["runbook"]

    assert ours["runbook_url"] == theirs["runbook_url"].replace("{{ .ExternalLabels.runbook }}", runbook)
    assert ours["dashboard_url"] == theirs["dashboard_url"].replace(
        "{{ .ExternalLabels.dashboards }}/", "{{ externalURL }}"
    )


@pytest.mark.parametrize("name", BY_GRAFANA)
def test_a_text_can_be_filled_in_also_while_its_queries_have_no_value(name: str) -> None:
    summary = BY_GRAFANA[name]["annotations"]["summary"]
    guarded = re.sub(r"\{\{ with \.Values\.\w+ \}\}\{\{ \.Value \| \w+ \}\}\{\{ end \}\}", "", summary)

    assert ".Value" not in guarded


def test_uids_are_there_once_and_short_enough() -> None:
    uids = [rule["uid"] for rule in BY_GRAFANA.values()]

    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[\w-]{1,40}", uid) for uid in uids)


def test_routes_lead_to_contact_points_and_mute_timings_that_exist() -> None:
    points = {point["name"] for point in provisioned("contact-points")["contactPoints"]}
    timings = {timing["name"] for timing in provisioned("mute-timings")["muteTimes"]}
    [policy] = provisioned("policies")["policies"]

    assert {policy["receiver"], *(route["receiver"] for route in policy["routes"])} == points
    assert {name for route in policy["routes"] for name in route.get("mute_time_intervals", [])} == timings


async def test_every_expression_is_answered_by_prometheus(tmp_path: Path) -> None:
    limits = policies_of("[defaults]\nchurn_limit = 0.1\ncart_abandonment_limit = 0.8", "policies.toml")
    others = [
        event("case.opened", "a", NOON, queue="mail", channel="email"),
        customer_event("joined", "c", NOON, plan="basic"),
        customer_event("contacted", "c", NOON, contact="a"),
    ]
    case = replay(others, at=NOON, policies=limits)
    families = [*families_of(a_busy_board()), *families_of(case.board(NOON)), *feed_families(a_busy_feed())]
    history = _at_noon(written(families, TextFormat.OPENMETRICS).decode())
    asked = {
        **{f"{name}/{ref}": expr for name, rule in BY_GRAFANA.items() for ref, expr in queries(rule).items()},
        **{record.name: record.expr for record in RECORDINGS},
    }
    async with prometheus(tmp_path, configuration({}), history=history) as watching:
        empty = {name for name, expr in asked.items() if not await _answers(watching, name, expr)}

    # Limits and recorded figures are always there; what compares them need not find anything.
    assert {name for name in empty if name.endswith("/Limit")} == set()


async def _answers(watching: Prometheus, name: str, expr: str) -> bool:
    try:
        return bool(await watching.query(expr, at=NOON))
    except AssertionError as refused:
        raise AssertionError(f"{name} is refused") from refused


def _at_noon(text: str) -> str:
    lines = [line if line.startswith("#") else f"{line} {NOON.timestamp():.0f}" for line in text.splitlines()]
    return "\n".join([*lines, "# EOF", ""])
