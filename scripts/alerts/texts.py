"""What an alert says, and where it leads, with the templates of whoever sends it in place of the blanks."""

from collections.abc import Callable, Mapping
from string import Formatter

from msgspec import Struct

from scripts.alerts.alert import Alert, Concerns
from stream.families.customers.labelled import MEMBER_LABELS, QUEUE_LABELS

__all__ = ["ABOUT", "Fill", "filled", "links"]

ABOUT: Mapping[Concerns, tuple[str, ...]] = {"queue": QUEUE_LABELS, "customers": MEMBER_LABELS}
"""The labels that say what an alert is about."""

# A plan or group that is empty stands for all.
WHERE: Mapping[Concerns, str] = {
    "queue": "{{ .Labels.tenant }}/{{ .Labels.queue }} ({{ .Labels.channel }})",
    "customers": "{{ .Labels.tenant }}{{ with .Labels.plan }}, plan {{ . }}{{ end }}"
    "{{ with .Labels.group }}, group {{ . }}{{ end }}",
}

FEED_DASHBOARD = "contact-pipeline"


class Fill(Struct, frozen=True, kw_only=True):
    """How a template language names things; `.Labels` is common to all."""

    value: Callable[[Alert], str]
    limit: Callable[[Alert], str]
    runbook: str
    """Address of `docs/runbook.md`, as who is called can open it."""
    dashboards: str
    """Address of Grafana, with the slash at its end."""


def filled(text: str, alert: Alert, fill: Fill) -> str:
    """Return a text of an alert with its blanks filled."""
    blanks = {name: f"{{{{ .Labels.{name} }}}}" for _, name, _, _ in Formatter().parse(text) if name}
    return text.format_map(
        blanks | {"value": fill.value(alert), "limit": fill.limit(alert), "where": WHERE.get(alert.concerns, "")}
    )


def links(alert: Alert, fill: Fill) -> dict[str, str]:
    """Return the address of the section of the runbook, and of the dashboard that shows more."""
    chosen = "&".join(_variable(name) for name in ABOUT.get(alert.concerns, ()))
    own = f"{fill.dashboards}d/contact-{alert.dashboard}?{chosen}"
    return {
        "runbook_url": f"{fill.runbook}#{alert.name.lower()}",
        "dashboard_url": own if alert.concerns in ABOUT else f"{fill.dashboards}d/{FEED_DASHBOARD}",
    }


def _variable(name: str) -> str:
    value = f"{{{{ .Labels.{name} | urlquery }}}}"
    # Of a plan or group that is not told all are shown, as when nobody chose.
    return (
        f"{{{{ with .Labels.{name} }}}}var-{name}={{{{ . | urlquery }}}}{{{{ end }}}}"
        if name in {"plan", "group"}
        else (f"var-{name}={value}")
    )
