"""Every file that is made from the alerts, and what it must hold."""

from pathlib import Path

from scripts.alerts.alert import Alert
from scripts.alerts.cases import CASE_ALERTS, CASE_RECORDINGS
from scripts.alerts.customers import CUSTOMER_ALERTS, CUSTOMER_RECORDINGS
from scripts.alerts.feed import FEED_ALERTS, FEED_RECORDINGS, WATCHDOG
from scripts.alerts.gateway import GATEWAY_ALERTS
from scripts.alerts.grafana import contact_points_file, grafana_rules_file, mute_timings_file, policies_file
from scripts.alerts.prometheus import rules_file
from scripts.alerts.queues import QUEUE_ALERTS, QUEUE_RECORDINGS
from scripts.alerts.sources import SOURCE_ALERTS
from scripts.alerts.surveys import SURVEY_ALERTS, SURVEY_RECORDINGS

__all__ = ["ALERTS", "GROUPS", "PROVISIONED", "RECORDINGS", "RULES", "alert_files"]

GRAFANA = Path(__file__).parents[2] / "grafana"
RULES = GRAFANA / "prometheus" / "rules" / "contact-stream.yml"
PROVISIONED = GRAFANA / "provisioning" / "alerting"

RECORDINGS = (*QUEUE_RECORDINGS, *CASE_RECORDINGS, *SURVEY_RECORDINGS, *CUSTOMER_RECORDINGS, *FEED_RECORDINGS)
GROUPS = {
    "queues": QUEUE_ALERTS,
    "cases": CASE_ALERTS,
    "surveys": SURVEY_ALERTS,
    "customers": CUSTOMER_ALERTS,
    "feed": FEED_ALERTS,
    "gateway": GATEWAY_ALERTS,
    "sources": SOURCE_ALERTS,
    "watchdog": (WATCHDOG,),
}
ALERTS: tuple[Alert, ...] = tuple(alert for alerts in GROUPS.values() for alert in alerts)


def alert_files() -> dict[Path, str]:
    """Return the files and their texts."""
    return {
        RULES: rules_file(RECORDINGS, GROUPS),
        PROVISIONED / "rules.yaml": grafana_rules_file(GROUPS),
        PROVISIONED / "contact-points.yaml": contact_points_file(),
        PROVISIONED / "policies.yaml": policies_file(),
        PROVISIONED / "mute-timings.yaml": mute_timings_file(),
    }
