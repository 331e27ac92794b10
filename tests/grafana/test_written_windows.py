"""A figure is written in the windows that dashboards or alerts read, and in no others: each is a series."""

import re
from collections import defaultdict
from collections.abc import Iterator

from scripts.alerts.queues import QUEUE_ALERTS, QUEUE_RECORDINGS
from stream.app.catalogue import BY_NAME
from stream.families.contacts.figures import FIGURES
from tests.grafana.shown import dashboards, queries_of

LOOKED_AT = ("30m", "today")
"""What the variable of a dashboard offers by default."""

OF_CONTACTS = {figure.metric.name for figure in FIGURES if figure.metric is not None}
"""Surveys have windows of days, of which a dashboard reads each that is written."""

RECORDED = {"queue:contact_service_level:burn": "contact_service_level_ratio"}
"""Recordings that have a window, and of what."""

_SELECTED = re.compile(r"([\w:]+)\{[^}]*window=\"([^\"]+)\"")


def read_by_dashboards() -> Iterator[tuple[str, str]]:
    for name, board in dashboards().items():
        for query in queries_of(name, board):
            for metric, window in _SELECTED.findall(query.expr):
                if metric not in OF_CONTACTS:
                    continue
                yield from ((metric, one) for one in (LOOKED_AT if window == "$window" else (window,)))


def read_by_alerts() -> Iterator[tuple[str, str]]:
    for alert in QUEUE_ALERTS:
        read = ((RECORDED.get(name, name), window) for name, window in _SELECTED.findall(alert.expr))
        yield from ((name, window) for name, window in read if name in OF_CONTACTS)


def test_what_dashboards_and_alerts_read_is_what_is_written() -> None:
    read = defaultdict(set)
    for metric, window in (*read_by_dashboards(), *read_by_alerts()):
        read[metric].add(window)

    written = {
        figure.metric.name: {*figure.written_in}
        for figure in FIGURES
        if figure.metric is not None and figure.windowed and figure.written_in
    }

    assert written == read


def test_alerts_read_every_window_by_a_name_that_is_known_here() -> None:
    windowed = {name for name, one in BY_NAME.items() if "window" in one.labels}
    recorded = {one.name for one in QUEUE_RECORDINGS if any(name in one.expr for name in windowed)}

    assert recorded == RECORDED.keys()
