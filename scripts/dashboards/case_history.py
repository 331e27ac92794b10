"""What the dashboard of cases shows of windows: service level, times, resolutions and volumes."""

from collections.abc import Iterator, Sequence

from grafana_foundation_sdk.builders import stat, table, timeseries

from scripts.dashboards import case_queries as ask
from scripts.dashboards.frame import Page
from scripts.dashboards.layout import Row
from scripts.dashboards.panels import Value, lines, numbers, plain, told, worst_first
from scripts.dashboards.queries import EVERY, QUEUE
from scripts.dashboards.queues import queue_labels
from stream.core.windows import TODAY
from stream.families.cases.figures import COUNTED

__all__ = ["history"]

PERIODS = (TODAY, "7d", "30d")

FIRST, NEXT = "contact_case_first_response_level_ratio", "contact_case_next_response_level_ratio"
TARGET = "contact_case_target_ratio"
LEVELS = {FIRST: "first_response_level", NEXT: "next_response_level"}
RESOLVED = {
    "contact_case_resolution_ratio": "resolution_rate",
    "contact_case_assigned_resolution_ratio": "assigned_resolution_ratio",
    "contact_case_one_touch_ratio": "one_touch_ratio",
    "contact_case_messages_per_resolution": "messages_per_resolution",
}
"""Ratios, and the words of them."""

LENGTHS = {
    "first_response": "frt",
    "next_response": "next_response",
    "first_resolution": "first_resolution",
    "full_resolution": "resolution_time",
}
SHARES = (0.5, 0.9)
DAY = "1d"

FLOWS = ("opened", "resolved", "reopened")
MESSAGES = ("received", "sent", "automatic")
KEPT = (
    *("opened", "assigned", "assigned_resolved", "resolved", "first_responses", "first_responses_in_target"),
    *("next_responses", "next_responses_in_target", "first_resolutions", "full_resolutions", "one_touch", "messages"),
)
"""What was counted is known in all periods only where a ratio or mean is made of it."""

NEUTRAL = "#2b3b55"
LEGEND = "{{tenant}} · {{queue}} · {{channel}}"
BY_PERIOD = (*QUEUE, "window")


def history(page: Page) -> Iterator[Row]:
    """Yield the rows of what was."""
    for section in (_levels, _times, _resolutions, _volumes):
        yield from section(page)


def _levels(page: Page) -> Iterator[Row]:
    word = page.words
    yield Row(1, title=word["service_level"])
    yield Row(5, [_level_tile(page, name, period) for name in LEVELS for period in PERIODS])
    target = Value(name=f"{word['aim']}: {LEGEND}", expr=ask.target(page.scope), look=plain(TARGET))
    panels = []
    for name, key in LEVELS.items():
        level = Value(name=LEGEND, expr=ask.ratio(page.scope, name, QUEUE), look=plain(name))
        panels.append(lines(word[key], told(name, TARGET), [level, target]))
    yield Row(8, panels)


def _level_tile(page: Page, name: str, period: str) -> stat.Panel:
    scope, word = page.scope, page.words
    many = scope.parts(f"contact_case_window_{ask.RATIOS[name][1]}", QUEUE, window=period)
    gap = f"sum ({ask.target(scope)} * {many}) / (sum ({many}) > 0) - {ask.ratio(scope, name, window=period)}"
    level = Value(name=word[LEVELS[name]], expr=ask.ratio(scope, name, window=period), look=plain(name, colour=NEUTRAL))
    judged = Value(name=word["target_state"], expr=gap, look=page.against(-0.05, 1e-6))
    about = told(name, TARGET) + "\n\nOver several queues: all answers together, against the target of each."
    return numbers(f"{word[LEVELS[name]]}: {word[f'window_{period}']}", about, [level, judged])


def _times(page: Page) -> Iterator[Row]:
    word = page.words
    yield Row(1, title=f"{word['frt']} · {word['resolution_time']}")
    yield Row(8, [_means(page, what) for what in LENGTHS])
    means = [
        (f"{word[key]}{suffix}", f"contact_case_{what}{clock}_mean_seconds")
        for what, key in LENGTHS.items()
        for clock, suffix in (("", ""), ("_business", f", {word['business']}"))
    ]
    columns = [
        Value(name=title, expr=ask.mean(page.scope, name, BY_PERIOD, window=EVERY), look=plain(name))
        for title, name in means
    ]
    labels = queue_labels(page) | {"window": word["window"]}
    yield Row(8, (worst_first(word["in_windows"], told(*(name for _, name in means)), labels, columns),))
    yield Row(8, [_percentiles(page, what) for what in ("first_response", "full_resolution")])


def _means(page: Page, what: str) -> timeseries.Panel:
    word = page.words
    whole, served = (f"contact_case_{what}{clock}_mean_seconds" for clock in ("", "_business"))
    values = [
        Value(name=word["mean"], expr=ask.mean(page.scope, whole), look=plain(whole)),
        Value(name=word["business"], expr=ask.mean(page.scope, served), look=plain(served)),
    ]
    return lines(word[LENGTHS[what]], told(whole, served), values)


def _percentiles(page: Page, what: str) -> timeseries.Panel:
    word = page.words
    values = [
        Value(name=f"{share:.0%}{suffix}", expr=ask.quantile(page.scope, share, name, DAY), look=plain(name))
        for name, suffix in (
            (f"contact_case_{what}_seconds", ""),
            (f"contact_case_{what}_business_seconds", f", {word['business']}"),
        )
        for share in SHARES
    ]
    about = (
        told(f"contact_case_{what}_seconds", f"contact_case_{what}_business_seconds")
        + "\n\nOver the last day; as long as Prometheus knows no day, over all that was ever counted."
    )
    return lines(f"{word[LENGTHS[what]]}: {word['percentiles']}", about, values)


def _resolutions(page: Page) -> Iterator[Row]:
    scope, word = page.scope, page.words
    yield Row(1, title=word["resolution_rate"])
    panels = [
        lines(
            word[key],
            told(name),
            [Value(name=LEGEND, expr=ask.ratio(scope, name, QUEUE), look=plain(name))],
            whole=name != "contact_case_resolution_ratio",  # more may be solved than came in
        )
        for name, key in RESOLVED.items()
    ]
    yield Row(8, panels)
    columns = [
        Value(name=word[key], expr=ask.ratio(scope, name, BY_PERIOD, window=EVERY), look=plain(name))
        for name, key in (LEVELS | RESOLVED).items()
    ]
    labels = queue_labels(page) | {"window": word["window"]}
    title = f"{word['resolution_rate']}: {word['in_windows']}"
    yield Row(8, (worst_first(title, told(*LEVELS, *RESOLVED), labels, columns),))


def _volumes(page: Page) -> Iterator[Row]:
    word = page.words
    yield Row(1, title=word["volumes"])
    yield Row(8, [_today(page, word["volumes"], FLOWS), _today(page, word["messages"], MESSAGES)])
    yield Row(8, (_counts(page, f"{word['volumes']}: {word['window_today']}", tuple(COUNTED), TODAY),))
    yield Row(8, (_counts(page, f"{word['volumes']}: {word['in_windows']}", KEPT, EVERY),))


def _today(page: Page, title: str, fields: Sequence[str]) -> timeseries.Panel:
    values = [
        Value(name=page.words[field], expr=page.scope.parts(_part(field), window=TODAY), look=plain(_part(field)))
        for field in fields
    ]
    return lines(f"{title}: {page.words['window_today']}", told(*map(_part, fields)), values)


def _counts(page: Page, title: str, fields: Sequence[str], period: str) -> table.Panel:
    every = period == EVERY
    by = BY_PERIOD if every else QUEUE
    labels = queue_labels(page) | ({"window": page.words["window"]} if every else {})
    columns = [
        Value(
            name=page.words[_word(field)],
            expr=page.scope.parts(_part(field), by, window=period),
            look=plain(_part(field)),
        )
        for field in fields
    ]
    return worst_first(title, told(*map(_part, fields)), labels, columns)


def _part(field: str) -> str:
    return f"contact_case_window_{field}"


def _word(field: str) -> str:
    """Return the word of what is counted."""
    return f"counted_{field}" if field in {"one_touch", "messages"} else field
