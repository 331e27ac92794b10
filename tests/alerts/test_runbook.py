"""Who is called finds what to do: every alert has its section, and its links lead there."""

import json
import re

import pytest
import yaml

from scripts.alerts.alert import Alert
from scripts.alerts.files import ALERTS, GRAFANA, RULES
from scripts.alerts.queues import BURNS, Burn
from scripts.stack.compose import services

ROOT = GRAFANA.parent
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
SECTIONS = dict(re.findall(r"^## (Contact\w+)\n(.*?)(?=^#|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))

LINKS = yaml.safe_load((GRAFANA / "prometheus" / "prometheus.yml").read_text())["global"]["external_labels"]
RULES_BY_NAME = {
    rule["alert"]: rule
    for group in yaml.safe_load(RULES.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)


def test_every_alert_has_its_section_and_every_section_its_alert() -> None:
    assert list(SECTIONS) == sorted(SECTIONS, key=[alert.name for alert in ALERTS].index)
    assert SECTIONS.keys() == {alert.name for alert in ALERTS}


@each_alert
def test_a_section_says_what_it_means_how_to_check_and_what_to_do(alert: Alert) -> None:
    assert re.findall(r"^\*\*([^*]+):\*\*", SECTIONS[alert.name], re.MULTILINE) == ["For callers", "Check", "Do"]


@each_alert
def test_the_link_to_the_runbook_leads_to_the_section(alert: Alert) -> None:
    base, _, anchor = RULES_BY_NAME[alert.name]["annotations"]["runbook_url"].partition("#")

    assert base == "{{ .ExternalLabels.runbook }}"
    assert anchor in {name.lower() for name in SECTIONS}
    assert anchor == alert.name.lower()


def test_as_long_as_nobody_says_where_the_runbook_is_prometheus_shows_it() -> None:
    prometheus = services()["prometheus"]
    [shown] = [option.partition("=")[2] for option in prometheus.command if "--web.user-assets=" in option]
    [folder] = [mount.path for mount in prometheus.mounts if mount.inside == shown]

    assert LINKS["runbook"] == f"http://localhost:{prometheus.inside}/user/runbook.md"
    assert (folder / "runbook.md").read_text() == RUNBOOK


@each_alert
def test_the_link_to_a_dashboard_leads_to_one_with_these_variables(alert: Alert) -> None:
    url = RULES_BY_NAME[alert.name]["annotations"]["dashboard_url"]
    found = re.fullmatch(r"\{\{ \.ExternalLabels\.dashboards \}\}/d/([\w-]+)(?:\?(.*))?", url)
    assert found
    dashboards = [json.loads(path.read_text()) for path in (GRAFANA / "dashboards" / "en").glob("*.json")]
    [dashboard] = [one for one in dashboards if one["uid"] == found[1]]

    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    assert set(re.findall(r"var-(\w+)=", found[2] or "")) <= variables
    assert LINKS["dashboards"].startswith("http")


@each_alert
def test_an_alert_is_routed_and_says_in_words_what_is_wrong(alert: Alert) -> None:
    rule = RULES_BY_NAME[alert.name]

    assert rule["labels"] == {"severity": alert.severity, "concerns": alert.concerns}
    assert alert.description.endswith(".")
    assert ". " in alert.description  # what it means, then what to do
    assert len(alert.description) < 180
    assert alert.concerns not in {"queue", "customers"} or "{where}" in alert.summary
    assert not alert.limit or {"{value}", "{limit}"} <= set(re.findall(r"\{\w+\}", alert.summary))


@pytest.mark.parametrize("burn", BURNS, ids=lambda burn: burn.name)
def test_the_table_of_burn_rates_is_that_of_the_rules(burn: Burn) -> None:
    most = 1 / (1 - 0.8)
    factor, level = 1 + burn.share * (most - 1), 0.8 * (1 - burn.share)
    row = f"| `{burn.name}` | {burn.long} and {burn.short} | {burn.share:g} | {factor:.2g} | {level * 100:.0f} % |"

    assert row in RUNBOOK
    assert factor < most
