"""All queues in one table: a row each, worst first; a click leads to the queue's own page."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.models import dashboard

from scripts.dashboards.banner import banner
from scripts.dashboards.frame import Page, framed, uid_of
from scripts.dashboards.layout import Row
from scripts.dashboards.panels import Look, Value, plain, told, worst_first
from scripts.dashboards.queries import QUEUE, quantity

__all__ = ["promised", "queue_labels", "queues"]

ABOUT = (
    "Every queue with its state, what waits now and its figures in the chosen window; worst first, sort as you like."
)

NOW = ("contact_open_cases", "contact_longest_wait_seconds", "contact_waiting_past_threshold")
FIGURES = (
    "contact_service_level_ratio",
    "contact_service_level_target_ratio",
    "contact_asa_seconds",
    "contact_abandonment_ratio",
    "contact_blocking_ratio",
    "contact_aht_seconds",
    "contact_window_offered",
    "contact_window_answered",
)
KEYS = {
    "contact_open_cases": "open_cases",
    "contact_longest_wait_seconds": "longest_wait",
    "contact_waiting_past_threshold": "waiting_past_threshold",
    "contact_service_level_ratio": "service_level",
    "contact_service_level_target_ratio": "service_level_target",
    "contact_asa_seconds": "asa",
    "contact_abandonment_ratio": "abandonment",
    "contact_blocking_ratio": "blocking",
    "contact_aht_seconds": "aht",
    "contact_window_offered": "offered",
    "contact_window_answered": "answered",
}


def queue_labels(page: Page) -> dict[str, str]:
    """Return the labels that name a queue, with the titles of their columns."""
    return {label: page.words[label] for label in QUEUE}


def promised(page: Page, info: str, promises: Mapping[str, str], labels: Sequence[str]) -> table.Panel:
    """Return a table of gauges of policies, by the words of their columns, with *labels* of each queue's *info*."""
    scope, word = page.scope, page.words
    own = scope.each(info, (*QUEUE, *labels))
    columns = [
        Value(
            name=word[key],
            expr=f"{own} * on ({', '.join(QUEUE)}) group_left () {scope.each(name)}",
            look=page.truth if quantity(name).unit == "bool" else plain(name),
        )
        for name, key in promises.items()
    ]
    titles = queue_labels(page) | {label: word[label] for label in labels}
    return worst_first(word["promises"], told(*promises, info), titles, columns)


def queues(page: Page) -> dashboard.Dashboard:
    """Return the dashboard of all queues."""
    scope, word = page.scope, page.words
    state = Value(name=word["state"], expr=scope.state(), look=page.state)
    gap = Value(name=word["gap"], expr=scope.gap(), look=Look(unit="percentunit", decimals=1))
    figures = [Value(name=word[KEYS[name]], expr=scope.each(name), look=plain(name)) for name in (*NOW, *FIGURES)]
    # Agents have no channel: each row of a queue shows those of the queue.
    target = scope.each("contact_service_level_target_ratio")
    free = scope.parts("contact_agents", ("tenant", "queue"), state="available")
    available = f"{target} * 0 + on (tenant, queue) group_left () {free}"
    agents = Value(name=word["available"], expr=available, look=plain("contact_agents"))
    rows = worst_first(
        word["queues"],
        told("contact_service_level_ratio", "contact_waiting_past_threshold"),
        queue_labels(page),
        [state, *figures[:4], gap, *figures[4:], agents],
        links={word["queue"]: _to_detail(page)},
        sort=word["state"],
    )
    return framed(page, "queues", [banner(page, 3), Row(21, (rows,))], about=ABOUT)


def _to_detail(page: Page) -> dashboards.DashboardLink:
    chosen = "&".join(f'var-{label}=${{__data.fields["{page.words[label]}"]}}' for label in QUEUE)
    url = f"/d/{uid_of('queue-detail', page.language)}?{chosen}&${{datasource:queryparam}}&${{window:queryparam}}"
    return dashboards.DashboardLink(page.words["title_queue_detail"]).url(url)
