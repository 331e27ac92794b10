"""The feed, for those who run it: is it fresh, does it keep up, was anything lost, and who owns what."""

from collections.abc import Iterator, Mapping

from grafana_foundation_sdk.builders import stat, timeseries
from grafana_foundation_sdk.models import dashboard

from scripts.dashboards.banner import banner
from scripts.dashboards.frame import Page, framed
from scripts.dashboards.layout import Row
from scripts.dashboards.panels import (
    AMBER,
    GREEN,
    RED,
    Look,
    Value,
    Words,
    lines,
    numbers,
    plain,
    states,
    told,
    worst_first,
)
from scripts.dashboards.queries import PARTITION
from scripts.dashboards.ways_in import ways_in

__all__ = ["pipeline"]

ABOUT = (
    "How the feed is: sources and their clocks, lag, throughput, checkpoints, replays, gaps, dead letters, ownership, "
    "and the ways in."
)

ODD = {
    "contact_events_late_total": "late",
    "contact_events_duplicate_total": "duplicates",
    "contact_events_replayed_total": "replays",
    "contact_events_overflowed_total": "overflowed",
    "contact_events_rekeyed_total": "rekeyed",
    "contact_foreign_writes_total": "foreign_writes",
}
LOST = {"contact_dead_letters_total": "dead_letters", "contact_source_offset_gaps_total": "gaps"}
"""Counters that stay where they are on a good day, and their words."""

COUNT = Look(unit="short", decimals=0)
AGE = Look(unit="dthms")


def pipeline(page: Page) -> dashboard.Dashboard:
    """Return the dashboard of the feed."""
    sections = (
        _now(page),
        _unwell(page),
        _flow(page),
        _sources(page),
        _lag(page),
        _odd(page),
        _checkpoints(page),
        _ownership(page),
        _workers(page),
        ways_in(page),
    )
    rows = [banner(page, 3), *(row for section in sections for row in section)]
    return framed(page, "pipeline", rows, about=ABOUT, choices=None, alerts="feed")


def _age(page: Page, name: str, by: tuple[str, ...] = ()) -> str:
    """How long ago the newest of some instants was."""
    grouped = f"max by ({', '.join(by)})" if by else "max"
    return f"time() - {grouped} ({page.scope.series(name)})"


def _oldest(page: Page, name: str) -> str:
    return f"time() - min ({page.scope.series(name)})"


def _alive(page: Page) -> str:
    """Return 0 while any worker is scraped: what does not happen there is not unknown."""
    return f"max ({page.scope.series('contact_ready')}) * 0"


def _tile(page: Page, key: str, expr: str, look: Look, *names: str) -> stat.Panel:
    return numbers(page.words[key], told(*names), [Value(name=page.words[key], expr=expr, look=look)], name=False)


def _steps(unit: str, risk: float, broken: float) -> Look:
    return Look(unit=unit, steps=((None, GREEN), (risk, AMBER), (broken, RED)))


def _now(page: Page) -> Iterator[Row]:
    scope = page.scope
    owners = f"sum by (topic, partition) ({scope.series('contact_partition_owned')})"
    seen = f"count by (topic, partition) (max_over_time ({scope.series('contact_partition_owned', '1h')}))"
    lag = f"max ({scope.each('contact_consumer_lag_records', PARTITION)})"
    tiles = {
        "workers_ready": (
            f"sum ({scope.series('contact_ready')})",
            plain("contact_ready", colour="#2b3b55"),
            "contact_ready",
        ),
        "newest_event": (
            _age(page, "contact_newest_event_timestamp_seconds"),
            _steps("dthms", 60, 300),
            "contact_newest_event_timestamp_seconds",
        ),
        "largest_lag": (lag, _steps("short", 1000, 100_000), "contact_consumer_lag_records"),
        "uncommitted": (
            f"({_oldest(page, 'contact_uncommitted_timestamp_seconds')}) or {_alive(page)}",
            _steps("dthms", 60, 300),
            "contact_uncommitted_timestamp_seconds",
        ),
        "no_owner": (
            f"count ({seen} unless {owners}) or {_alive(page)}",
            _steps("none", 1, 1),
            "contact_partition_owned",
        ),
        "two_owners": (f"count ({owners} > 1) or {_alive(page)}", _steps("none", 1, 1), "contact_partition_owned"),
    }
    yield Row(4, [_tile(page, key, expr, look, name) for key, (expr, look, name) in tiles.items()])


def _unwell(page: Page) -> Iterator[Row]:
    """What should stay at zero."""
    scope = page.scope
    unwell = {
        "broker_silent": "contact_broker_silent_timestamp_seconds",
        "partition_silent": "contact_partition_silent_timestamp_seconds",
        "checkpoint_failing": "contact_checkpoint_failing_timestamp_seconds",
    }
    lost = {word: f"{scope.increase(name, over='$__range')}" for name, word in LOST.items()}
    yield Row(
        4,
        [
            *(
                _tile(page, key, f"({_oldest(page, name)}) or {_alive(page)}", _steps("dthms", 1, 30), name)
                for key, name in unwell.items()
            ),
            *(_tile(page, word, lost[word], _steps("short", 0.5, 0.5), name) for name, word in LOST.items()),
            _tile(
                page,
                "recovered",
                scope.increase("contact_recovered_rows_total", over="$__range"),
                Look(unit="short", decimals=0, colour="#2b3b55"),
                "contact_recovered_rows_total",
            ),
        ],
    )


def _flow(page: Page) -> Iterator[Row]:
    yield Row(1, title=page.words["throughput"])
    rate = Value(name="{{event}}", expr=page.scope.rate("contact_events_total", ("event",)), look=Look(unit="eps"))
    sources = Value(
        name=page.words["age"],
        expr=_age(page, "contact_source_last_event_timestamp_seconds", ("source",)),
        look=_steps("dthms", 60, 300),
    )
    name = "contact_source_last_event_timestamp_seconds"
    yield Row(
        8,
        (
            lines(page.words["throughput"], told("contact_events_total"), [rate], stacked=True),
            worst_first(
                page.words["freshness"], told(name), {"source": page.words["source"]}, [sources], sort=page.words["age"]
            ),
        ),
        (14, 10),
    )


def _sources(page: Page) -> Iterator[Row]:
    """How long events take from their source, and whether its clock is right."""
    scope, word = page.scope, page.words
    yield Row(1, title=word["latency"])
    rate = scope.rate("contact_source_latency_seconds_bucket", ("source", "le"))
    latencies = [
        Value(
            name=f"{share:.0%} · {{{{source}}}}",
            expr=f"histogram_quantile ({share}, {rate})",
            look=plain("contact_source_latency_seconds"),
            dashed=share == 0.5,
        )
        for share in (0.95, 0.5)
    ]
    # Of several workers the one that heard of a source first: what took longer says less of its clock.
    least = f"min by (source) ({scope.series('contact_source_least_latency_seconds')})"
    old = scope.increase("contact_source_old_events_total", ("source",))
    panels = {
        "latency": ("contact_source_latency_seconds", latencies),
        "least_latency": (
            "contact_source_least_latency_seconds",
            [Value(name="{{source}}", expr=least, look=plain("contact_source_least_latency_seconds"))],
        ),
        "old_events": ("contact_source_old_events_total", [Value(name="{{source}}", expr=old, look=COUNT)]),
    }
    yield Row(8, [lines(word[key], told(name), values) for key, (name, values) in panels.items()])


def _lag(page: Page) -> Iterator[Row]:
    scope, word = page.scope, page.words
    yield Row(1, title=word["lag"])
    lag = Value(name="{{topic}}/{{partition}}", expr=scope.each("contact_consumer_lag_records", PARTITION), look=COUNT)
    behind = scope.each("contact_record_timestamp_seconds", PARTITION)
    late = f"(time() - {behind}) and ({scope.each('contact_consumer_lag_records', PARTITION)} > 0)"
    names = "contact_consumer_lag_records", "contact_record_timestamp_seconds"
    yield Row(
        8,
        (
            lines(word["lag"], told(names[0]), [lag]),
            lines(word["behind"], told(names[1]), [Value(name="{{topic}}/{{partition}}", expr=late, look=AGE)]),
        ),
    )


def _odd(page: Page) -> Iterator[Row]:
    yield Row(1, title=page.words["odd"])
    reasons = Value(
        name="{{reason}}", expr=page.scope.increase("contact_events_invalid_total", ("reason",)), look=COUNT
    )
    yield Row(
        8,
        (
            _counters(page, "odd", ODD),
            _counters(page, "lost", LOST),
            lines(page.words["invalid"], told("contact_events_invalid_total"), [reasons]),
        ),
    )


def _counters(page: Page, key: str, counters: Mapping[str, str]) -> timeseries.Panel:
    values = [
        Value(name=page.words[word], expr=page.scope.increase(name), look=COUNT) for name, word in counters.items()
    ]
    return lines(page.words[key], told(*counters), values)


def _checkpoints(page: Page) -> Iterator[Row]:
    scope, word = page.scope, page.words
    yield Row(1, title=word["checkpoints"])
    spent = f"{scope.rate('contact_checkpoint_seconds_total', ('instance',))}"
    mean = f"{spent} / ({scope.rate('contact_checkpoints_total', ('instance',))} > 0)"
    lengths = [
        Value(
            name=f"{word['last']} · {{{{instance}}}}",
            expr=scope.each("contact_checkpoint_duration_seconds", ("instance",)),
            look=Look(unit="s"),
        ),
        Value(name=f"{word['mean']} · {{{{instance}}}}", expr=mean, look=Look(unit="s")),
        Value(
            name=f"{word['age']} · {{{{instance}}}}",
            expr=_age(page, "contact_checkpoint_timestamp_seconds", ("instance",)),
            look=Look(unit="s"),
        ),
    ]
    counters = {"contact_checkpoints_total": "checkpoints", "contact_checkpoint_failures_total": "failures"}
    rows = {"contact_checkpoint_rows_total": "rows"}
    about = told(
        "contact_checkpoint_duration_seconds",
        "contact_checkpoint_seconds_total",
        "contact_checkpoint_timestamp_seconds",
    )
    yield Row(
        8,
        (
            lines(word["checkpoint_length"], about, lengths),
            _counters(page, "checkpoints", counters),
            _counters(page, "rows", rows),
        ),
    )


def _ownership(page: Page) -> Iterator[Row]:
    scope, word = page.scope, page.words
    yield Row(1, title=word["ownership"])
    owners = scope.parts("contact_partition_owned", PARTITION)
    told_as: Words = {
        (0, 0): (word["owners_none"], RED),
        (1, 1): (word["owners_one"], GREEN),
        (2, 1e6): (word["owners_many"], RED),
    }
    count = Value(name="{{topic}}/{{partition}}", expr=owners, look=Look(unit="none", words=told_as))
    by = (*PARTITION, "instance")
    offsets = {
        "applied": "contact_applied_offset",
        "committed": "contact_committed_offset",
        "end": "contact_end_offset",
    }
    columns = [Value(name=word[key], expr=scope.each(name, by), look=plain(name)) for key, name in offsets.items()]
    instants = {"applied_age": "contact_applied_timestamp_seconds", "committed_age": "contact_commit_timestamp_seconds"}
    columns += [Value(name=word[key], expr=_age(page, name, by), look=AGE) for key, name in instants.items()]
    labels = {"topic": word["topic"], "partition": word["partition"], "instance": word["worker"]}
    yield Row(
        9,
        (
            states(word["ownership"], told("contact_partition_owned"), [count]),
            worst_first(word["ownership"], told(*offsets.values(), *instants.values()), labels, columns),
        ),
    )


def _workers(page: Page) -> Iterator[Row]:
    scope, word = page.scope, page.words
    yield Row(1, title=word["workers"])
    state = Value(
        name="{{instance}} · {{state}}",
        expr=scope.each("contact_recovery_state", ("instance", "state")) + " > 0",
        look=COUNT,
    )
    sections = scope.each("contact_section_duration_seconds", ("section",))
    failed = f"min by (section) ({scope.series('contact_section_success')})"
    version = Value(
        name=word["age"],
        expr=f"count by (instance, version, python) ({scope.series('contact_build_info')})",
        look=COUNT,
    )
    rebalances = Value(name=word["rebalances"], expr=scope.increase("contact_rebalances_total"), look=COUNT)
    yield Row(
        8,
        (
            lines(word["recovery"], told("contact_recovery_state", "contact_rebalances_total"), [state, rebalances]),
            lines(
                word["sections"],
                told("contact_section_duration_seconds"),
                [Value(name="{{section}}", expr=sections, look=Look(unit="s"))],
            ),
            lines(
                word["sections_whole"],
                told("contact_section_success"),
                [Value(name="{{section}}", expr=failed, look=COUNT)],
            ),
            worst_first(
                word["workers"],
                told("contact_build_info"),
                {"instance": word["worker"], "version": word["version"], "python": "Python"},
                [version],
            ),
        ),
    )
    series = Value(name="{{family}}", expr=scope.parts("contact_page_series", ("family",)), look=COUNT)
    yield Row(8, (lines(word["page_series"], told("contact_page_series"), [series], stacked=True),))
