"""The same alerts as Grafana evaluates and routes them itself, for those who have no Alertmanager.

The recorded figures stay with Prometheus. Grafana puts environment variables in place of `${NAME}` when it reads
`grafana/provisioning/alerting/`, but not in annotations: where those lead is written into them, or known to Grafana.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from scripts.alerts.alert import Alert
from scripts.alerts.expressions import by_members, by_queue
from scripts.alerts.inhibition import unless_inhibited
from scripts.alerts.prometheus import READ, annotations, duration, labels
from scripts.alerts.texts import Fill
from scripts.alerts.yaml_out import written

__all__ = ["PROMETHEUS_YML", "contact_points_file", "grafana_rules_file", "mute_timings_file", "policies_file"]

FOLDER = "contact-stream"
PROMETHEUS_UID = "prometheus"
"""As in `grafana/provisioning/datasources/prometheus.yaml`."""
EXPRESSIONS_UID = "__expr__"
LOOK_BACK = {"from": 600, "to": 0}
INTERVAL = "10s"
"""The shortest that Grafana knows."""

SUPERVISORS, OPERATIONS, WATCHDOG = (f"contact-stream {who}" for who in ("supervisors", "operations", "watchdog"))
NIGHT = "contact-stream night"

PROMETHEUS_YML = Path(__file__).parents[2] / "grafana" / "prometheus" / "prometheus.yml"
"""Its `external_labels` say where links lead."""


def _answer(query: str, alert: Alert) -> str:
    # Grafana fills in texts of calm rules too, and of those that it cannot evaluate: then a query has no value.
    return f"{{{{ with .Values.{query} }}}}{{{{ .Value | {READ[alert.value]} }}}}{{{{ end }}}}"


GRAFANA = Fill(
    value=lambda alert: _answer("Value", alert),
    limit=lambda alert: _answer("Limit", alert),
    runbook=yaml.safe_load(PROMETHEUS_YML.read_text())["global"]["external_labels"]["runbook"],
    dashboards="{{ externalURL }}",
)


def grafana_rules_file(groups: Mapping[str, Sequence[Alert]]) -> str:
    """Return the rules, in groups as for Prometheus."""
    written_groups = [
        {"orgId": 1, "name": name, "folder": FOLDER, "interval": INTERVAL, "rules": [_rule(alert) for alert in alerts]}
        for name, alerts in groups.items()
    ]
    return written({"apiVersion": 1, "groups": written_groups})


def _rule(alert: Alert) -> dict[str, object]:
    limit_of = by_members if alert.concerns == "customers" else by_queue
    limits = [_query("Limit", limit_of(alert.limit))] if alert.limit else []
    return {
        "uid": alert.name.lower(),
        "title": alert.name,
        "condition": "Fires",
        "data": [_query("Value", unless_inhibited(alert)), *limits, _any_value("Fires", "Value")],
        # An expression answers only while something is wrong.
        "noDataState": "OK",
        "execErrState": "Error",
        "for": duration(alert.pending),
        "keepFiringFor": duration(alert.lingers),
        "labels": labels(alert),
        "annotations": annotations(alert, GRAFANA),
    }


def _query(name: str, expr: str) -> dict[str, object]:
    model = {"refId": name, "expr": expr, "instant": True, "range": False}
    return {"refId": name, "relativeTimeRange": LOOK_BACK, "datasourceUid": PROMETHEUS_UID, "model": model}


def _any_value(name: str, of: str) -> dict[str, object]:
    """Every series of the answer is an alert, whatever its value: none is negative."""
    model = {
        "refId": name,
        "type": "threshold",
        "expression": of,
        "conditions": [{"evaluator": {"type": "gt", "params": [-1]}}],
    }
    return {"refId": name, "datasourceUid": EXPRESSIONS_UID, "model": model}


def contact_points_file() -> str:
    """Return who is told: by webhooks, with their addresses and a token from the environment or a file."""
    points = [_webhook(name) for name in (SUPERVISORS, OPERATIONS, WATCHDOG)]
    return written({"apiVersion": 1, "contactPoints": points})


def _webhook(name: str) -> dict[str, object]:
    who = name.rpartition(" ")[2]
    settings = {
        "url": f"${{ALERTS_NOTIFY}}/{who}",
        "authorization_scheme": "Bearer",
        "authorization_credentials": "$__file{/run/secrets/notify-token}",
    }
    return {
        "orgId": 1,
        "name": name,
        "receivers": [{"uid": name.replace(" ", "-"), "type": "webhook", "settings": settings}],
    }


def policies_file() -> str:
    """Return the routes, as `grafana/alertmanager/alertmanager.yml` has them."""
    feed_by_day = {
        "receiver": OPERATIONS,
        "object_matchers": [["concerns", "=", "feed"], ["severity", "!=", "critical"]],
        "mute_time_intervals": [NIGHT],
    }
    watchdog = {
        "receiver": WATCHDOG,
        "object_matchers": [["concerns", "=", "watchdog"]],
        "group_wait": "0s",
        "repeat_interval": "1m",
    }
    queue = {
        "receiver": SUPERVISORS,
        "object_matchers": [["concerns", "=", "queue"]],
        "group_by": ["tenant", "queue", "channel", "team"],
        "group_wait": "30s",
        "group_interval": "30s",
    }
    customers = {
        "receiver": SUPERVISORS,
        "object_matchers": [["concerns", "=", "customers"]],
        "group_by": ["tenant", "plan", "group", "team"],
        "group_wait": "30s",
    }
    root = {
        "orgId": 1,
        "receiver": OPERATIONS,
        "group_by": ["grafana_folder", "alertname"],
        "group_wait": "10s",
        "group_interval": "1m",
        "repeat_interval": "4h",
        "routes": [watchdog, queue, customers, feed_by_day],
    }
    return written({"apiVersion": 1, "policies": [root]})


def mute_timings_file() -> str:
    """Return when what runs the feed is only called for what is critical."""
    night = {
        "orgId": 1,
        "name": NIGHT,
        "time_intervals": [
            {
                "times": [
                    {"start_time": "22:00", "end_time": "24:00"},
                    {"start_time": "00:00", "end_time": "06:00"},
                ],
                "location": "UTC",
            }
        ],
    }
    return written({"apiVersion": 1, "muteTimes": [night]})
