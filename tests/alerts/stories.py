"""Series as Prometheus would have scraped them: from simulated centres and from feeds, by the product's own code."""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from scripts.alerts.files import RULES
from stream.app.replay import Replay
from stream.core.cloudevents import Event
from stream.core.collector import metric_families
from stream.core.family import Board, Family, FoldOptions
from stream.core.metric import Metric
from stream.core.policies import Policies
from stream.core.samples import MetricFamily
from stream.core.windows import EPOCH
from stream.families.registry import FAMILIES
from stream.http.exposition import TextFormat, written
from stream.status.feed import Feed
from stream.status.metrics import feed_families
from tests.board.boards import EVERYTHING
from tests.monitoring import program
from tests.running import Figures, parsed

__all__ = [
    "STEP",
    "Scrapes",
    "Told",
    "assert_told",
    "board_scrape",
    "instants",
    "judge",
    "scrapes_of",
    "scrapes_of_feeds",
]

STEP = timedelta(seconds=30)
"""Between two scrapes, and two looks at the rules."""

JOB = "contact-stream"

Scrapes = Sequence[Figures]
"""What every scrape has found, from all workers."""

Told = Mapping[str, set[tuple[str, str]]]
"""By time since the story began (`1h5m`): alerts that fire, each with what it is about."""

ABOUT = ("queue", "partition", "source", "instance")
LINKS = {"runbook": "https://centre.test/runbook", "dashboards": "https://grafana.test"}


@cache
def _read_by_rules() -> frozenset[str]:
    return frozenset(re.findall(r"\bcontact_\w+|\bup\b", RULES.read_text()))


@cache
def _families_for_rules() -> tuple[Family[Any], ...]:
    """The families with no other figures than rules read: a story looks at hundreds of boards."""
    return tuple(
        replace(family, figures=tuple(figure for figure in family.figures if _is_read(figure.metric)))
        for family in FAMILIES
    )


def _is_read(metric: Metric | None) -> bool:
    return metric is not None and metric.name in _read_by_rules()


def _figures(families: Iterable[MetricFamily], instance: str) -> Figures:
    of_rules = (family for family in families if _is_read(family.metric))
    target = (("instance", instance), ("job", JOB))
    figures = parsed(written(of_rules, TextFormat.TEXT).decode())
    return {(name, tuple(sorted((*labels, *target)))): value for (name, labels), value in figures.items()}


def scrapes_of(
    events: Iterable[Event], *, lasts: timedelta, policies: Policies = Policies(), workers: int = 1
) -> Scrapes:
    """Return the scrapes of a centre from 1970 on; several *workers* show the same, as in a hand-over."""
    fold = Replay(FoldOptions(policies=policies))
    told, scrapes = iter(events), []
    event = next(told, None)
    for at in instants(lasts):
        batch = []
        while event is not None and event.time <= at:
            batch.append(event)
            event = next(told, None)
        if batch:
            fold.feed(batch)
        scrape: Figures = {}
        for worker in range(workers):
            scrape |= board_scrape(fold.board(at), f"worker-{worker}")
        scrapes.append(scrape)
    return scrapes


def board_scrape(board: Board, worker: str = "worker-0") -> Figures:
    """Return one scrape of a board."""
    return {_up(worker): 1} | _figures(metric_families(board, _families_for_rules(), EVERYTHING), worker)


def scrapes_of_feeds(pages: Iterable[Mapping[str, Feed | None]]) -> Scrapes:
    """Return the scrapes of workers' feeds; of one that is None Prometheus gets no answer."""
    scrapes = []
    for page in pages:
        scrape: Figures = {}
        for instance, feed in page.items():
            scrape[_up(instance)] = int(feed is not None)
            if feed is not None:
                scrape |= _figures(feed_families(feed), instance)
        scrapes.append(scrape)
    return scrapes


def _up(instance: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return "up", (("instance", instance), ("job", JOB))


def instants(lasts: timedelta) -> Iterator[datetime]:
    """Yield the instants of all scrapes."""
    return (EPOCH + STEP * number for number in range(lasts // STEP + 1))


def assert_told(scrapes: Scrapes, told: Told, home: Path, *, only: str = "Contact.*") -> None:
    """Let promtool judge: at each time just these alerts fire (of those that match *only*), by our very rules."""
    named = f'alertname=~"{only}", alertname!="ContactWatchdog"'
    firing = f'count by (alertname, {", ".join(ABOUT)}) (ALERTS{{alertstate="firing", {named}}})'
    checks = [
        {
            "expr": firing,
            "eval_time": at,
            "exp_samples": [{"labels": _selector(*alert), "value": 1} for alert in sorted(alerts)],
        }
        for at, alerts in told.items()
    ]
    judge({"promql_expr_test": checks}, scrapes, home)


def judge(checks: Mapping[str, object], scrapes: Scrapes, home: Path, *, rules: Sequence[Path] = (RULES,)) -> None:
    """Run `promtool test rules` on the scrapes; fails with what it says."""
    step = f"{STEP.total_seconds():g}s"
    test = {"interval": step, "input_series": list(_input_series(scrapes)), "external_labels": LINKS, **checks}
    file = home / "test.json"  # JSON is YAML
    file.write_text(json.dumps({"rule_files": [*map(str, rules)], "evaluation_interval": step, "tests": [test]}))
    done = subprocess.run([program("promtool"), "test", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _selector(alert: str, about: str) -> str:
    label = next((name for name in ABOUT if about.startswith(f"{name} ")), "")
    named = {"alertname": alert} | ({label: about.removeprefix(f"{label} ")} if label else {})
    return f"{{{', '.join(f'{name}={json.dumps(value)}' for name, value in named.items())}}}"


def _input_series(scrapes: Scrapes) -> Iterator[dict[str, str]]:
    for name, labels in {series: None for scrape in scrapes for series in scrape}:
        values = [scrape.get((name, labels)) for scrape in scrapes]
        selector = ",".join(f"{label}={json.dumps(value)}" for label, value in labels)
        yield {"series": f"{name}{{{selector}}}", "values": " ".join(_notation(values))}


def _notation(values: Iterable[float | None]) -> Iterator[str]:
    """A series that is gone gets a stale marker, as a scrape gives it: else its last value would be seen for long."""
    before: float | None = None
    for value in values:
        yield repr(value) if value is not None else "_" if before is None else "stale"
        before = value
