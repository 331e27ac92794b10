"""The rules as Prometheus reads them: `grafana/prometheus/rules/contact-stream.yml`."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from scripts.alerts.alert import Alert, Reading, Recording
from scripts.alerts.texts import ABOUT, Fill, filled, links
from scripts.alerts.yaml_out import written

__all__ = ["PROMETHEUS", "annotations", "labels", "rules_file"]

READ: Mapping[Reading, str] = {"ratio": "humanizePercentage", "seconds": "humanizeDuration", "count": "humanize"}


def _limit(alert: Alert) -> str:
    labels = ABOUT[alert.concerns]
    where, values = ",".join(f"{name}=%q" for name in labels), " ".join(f".Labels.{name}" for name in labels)
    return (
        f'{{{{ with printf "max({alert.limit}{{{where}}})" {values} | query }}}}'
        f"{{{{ . | first | value | {READ[alert.value]} }}}}{{{{ end }}}}"
    )


PROMETHEUS = Fill(
    value=lambda alert: f"{{{{ .Value | {READ[alert.value]} }}}}",
    limit=lambda alert: _limit(alert) if alert.limit else "",
    runbook="{{ .ExternalLabels.runbook }}",
    dashboards="{{ .ExternalLabels.dashboards }}/",
)


def rules_file(recordings: Sequence[Recording], groups: Mapping[str, Sequence[Alert]]) -> str:
    """Return the file: recorded figures first, since alerts need them."""
    recorded = {
        "name": "contact-stream figures",
        "rules": [{"record": one.name, "expr": one.expr} for one in recordings],
    }
    alerting = [
        {"name": f"contact-stream {name}", "rules": [_rule(alert) for alert in alerts]}
        for name, alerts in groups.items()
    ]
    return written({"groups": [recorded, *alerting]})


def labels(alert: Alert) -> dict[str, str]:
    """Return the labels that notifications are routed by, beside those of the expression."""
    return {"severity": alert.severity, "concerns": alert.concerns}


def annotations(alert: Alert, fill: Fill) -> dict[str, str]:
    """Return what the notification says."""
    return {
        "summary": filled(alert.summary, alert, fill),
        "description": filled(alert.description, alert, fill),
        **links(alert, fill),
    }


def _rule(alert: Alert) -> dict[str, object]:
    lengths = {"for": alert.pending, "keep_firing_for": alert.lingers}
    return {
        "alert": alert.name,
        "expr": alert.expr,
        **{name: duration(length) for name, length in lengths.items() if length},
        "labels": labels(alert),
        "annotations": annotations(alert, PROMETHEUS),
    }


def duration(length: timedelta) -> str:
    """Return a length as Prometheus and Grafana write it: whole seconds or minutes."""
    minutes, seconds = divmod(round(length.total_seconds()), 60)
    return f"{minutes}m" if not seconds else f"{60 * minutes + seconds}s"
