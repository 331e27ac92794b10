"""What an alert says, and where it leads, with the templates of whoever sends it in place of the blanks."""

from collections.abc import Callable
from string import Formatter

from msgspec import Struct

from scripts.alerts.alert import Alert

__all__ = ["Fill", "filled", "links"]

WHERE = "{{ .Labels.tenant }}/{{ .Labels.queue }} ({{ .Labels.channel }})"

FEED_DASHBOARD = "contact-pipeline"
VARIABLES = "&".join(f"var-{name}={{{{ .Labels.{name} | urlquery }}}}" for name in ("tenant", "queue", "channel"))


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
    return text.format_map(blanks | {"value": fill.value(alert), "limit": fill.limit(alert), "where": WHERE})


def links(alert: Alert, fill: Fill) -> dict[str, str]:
    """Return the address of the section of the runbook, and of the dashboard that shows more."""
    of_queue = f"{fill.dashboards}d/contact-{alert.dashboard}?{VARIABLES}"
    return {
        "runbook_url": f"{fill.runbook}#{alert.name.lower()}",
        "dashboard_url": of_queue if alert.concerns == "queue" else f"{fill.dashboards}d/{FEED_DASHBOARD}",
    }
