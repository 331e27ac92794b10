"""A figure is written in the windows that dashboards or alerts read, and in no others: each is a series."""

import re
from collections import defaultdict
from collections.abc import Iterator

from scripts.alerts.customers import CUSTOMER_RECORDINGS
from scripts.alerts.files import ALERTS, RECORDINGS
from scripts.customer_formulas import JOURNEYS, MEMBER_RATIOS, PERCENTILES, QUEUE_RATIOS
from scripts.dashboards.case_queries import RATIOS
from stream.app.catalogue import BY_NAME
from stream.families.registry import FAMILIES
from stream.families.surveys.family import FAMILY as SURVEYS
from tests.grafana.shown import dashboards, queries_of

LOOKED_AT = {"$window": ("30m", "today"), "$case_window": ("today", "7d", "30d")} | {
    "$customer_window": ("today", "7d", "30d"),
    "$period": ("30d", "month", "quarter"),
    "$days": ("7d", "30d"),
}
"""What the variables of dashboards offer by default."""

OF_SURVEYS = {figure.metric.name for figure in SURVEYS.figures if figure.metric is not None}
"""A dashboard reads each of their windows that is written, by a variable."""

RECORDED = {
    "queue:contact_service_level:burn": "contact_service_level_ratio",
    "queue:contact_case_first_response_level:ratio": "contact_case_window_first_responses_in_target",
    **{
        one.name: found[1]
        for one in CUSTOMER_RECORDINGS
        if (found := re.search(r"(contact_customer_window_\w+)", one.expr)) is not None
    },
}
"""Recordings that have a window, and of what."""

OF_ONE_WORKER = {*RATIOS, *QUEUE_RATIOS, *PERCENTILES, *MEMBER_RATIOS, *JOURNEYS}
"""What nobody reads of several workers: dashboards divide the sums of its parts. For those who run one."""

_SELECTED = re.compile(r"([\w:]+)\{[^}]*window=\"([^\"]+)\"")


def read_by_dashboards() -> Iterator[tuple[str, str]]:
    for name, board in dashboards().items():
        for query in queries_of(name, board):
            for metric, window in _SELECTED.findall(query.expr):
                if metric not in OF_SURVEYS:
                    yield from ((metric, one) for one in LOOKED_AT.get(window, (window,)))


def read_by_alerts() -> Iterator[tuple[str, str]]:
    for alert in ALERTS:
        read = ((RECORDED.get(name, name), window) for name, window in _SELECTED.findall(alert.expr))
        yield from ((name, window) for name, window in read if name not in OF_SURVEYS)


def test_what_dashboards_and_alerts_read_is_what_is_written() -> None:
    read = defaultdict(set)
    for metric, window in (*read_by_dashboards(), *read_by_alerts()):
        read[metric].add(window)

    written = {
        figure.metric.name: {*figure.written_in}
        for family in FAMILIES
        for figure in family.figures
        if figure.metric is not None and figure.windowed and figure.written_in
        if figure.metric.name not in OF_ONE_WORKER | OF_SURVEYS
    }

    assert written == read


def test_alerts_read_every_window_by_a_name_that_is_known_here() -> None:
    windowed = {name for name, one in BY_NAME.items() if "window" in one.labels}
    recorded = {one.name for one in RECORDINGS if any(name in one.expr for name in windowed)}

    assert recorded == RECORDED.keys()
