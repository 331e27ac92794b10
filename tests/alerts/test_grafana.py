"""The alerts that Grafana evaluates are those that Prometheus does."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.alerts.files import ALERTS, PROVISIONED, RECORDINGS, RULES
from stream.metrics.collector import families_of
from stream.metrics.exposition import Format, written
from stream.metrics.feed_collector import feed_families
from tests.board.boards import NOON
from tests.metrics.everything import a_busy_board, a_busy_feed
from tests.monitoring import Prometheus, configuration, prometheus

Yaml = dict[str, Any]


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

    assert queries(ours)["Value"] == theirs["expr"]
    assert ours["labels"] == theirs["labels"]
    assert (ours["for"], ours["keepFiringFor"]) == (theirs.get("for", "0m"), theirs.get("keep_firing_for", "0m"))
    assert ours["annotations"].keys() == theirs["annotations"].keys()


@pytest.mark.parametrize("name", BY_GRAFANA)
def test_a_condition_is_met_by_any_value_that_the_query_leaves(name: str) -> None:
    rule = BY_GRAFANA[name]
    condition = rule["data"][-1]

    assert condition["refId"] == rule["condition"]
    assert condition["model"]["expression"] == "Value"
    assert condition["model"]["conditions"] == [{"evaluator": {"type": "gt", "params": [-1]}}]


def test_only_what_is_meant_to_be_replaced_is_an_environment_variable() -> None:
    known = {"${ALERTS_RUNBOOK}", "${ALERTS_DASHBOARDS}", "${ALERTS_NOTIFY}", "$__file"}
    texts = "".join(path.read_text() for path in PROVISIONED.glob("*.yaml"))

    assert set(re.findall(r"\$(?:\{\w+\}|\w*)", texts)) == known


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
    families = [*families_of(a_busy_board()), *feed_families(a_busy_feed())]
    history = _at_noon(written(families, Format.OPENMETRICS).decode())
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
