"""What the page of metrics says about numbers of series is what a page has."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stream.app.policy_file import policies_of
from stream.app.replay import replay
from stream.core.cloudevents import Event
from stream.core.collector import FEW_SERIES
from stream.http.exposition import TextFormat, written
from tests.board.boards import families_of
from tests.timeline import event

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
AT = datetime(2026, 11, 20, 16, tzinfo=UTC)
SERVED = '[defaults]\nopening_hours = "08:00-20:00"'

ONLY_OPEN = [("case.opened", "a", 60), ("message.received", "a", 60)]
BUSY = [
    *ONLY_OPEN,
    *(("case.opened", "b", 200), ("message.received", "b", 200), ("message.sent", "b", 190)),
    *(("message.received", "b", 180), ("message.sent", "b", 170), ("case.resolved", "b", 165)),
    *(("case.reopened", "b", 160), ("case.resolved", "b", 150)),
]


def series(reports: Iterable[tuple[str, str, int]], policies: str = "") -> int:
    """Count the series that a queue makes of these reports: what, of which case, how many minutes ago."""
    events = [report(*one) for one in reports]
    board = replay(sorted(events, key=lambda one: one.time), at=AT, policies=policies_of(policies, "p")).board(AT)
    text = written(families_of(board, FEW_SERIES), TextFormat.TEXT).decode()
    return len(re.findall(r"^[^#\n]", text, re.MULTILINE))


def report(kind: str, case: str, minutes: int) -> Event:
    return event(kind, case, AT - timedelta(minutes=minutes), **({"channel": "email"} if "opened" in kind else {}))


def test_a_queue_of_cases_makes_as_many_series_as_the_page_of_metrics_says() -> None:
    found = re.search(r"cases makes (\d+) while .*?, (\d+) when it is busy \((\d+) if", PAGE.replace("\n ", ""))
    assert found is not None

    said = [int(number) for number in found.groups()]
    assert said == [series(ONLY_OPEN, SERVED), series(BUSY, SERVED), series(BUSY)]
