"""Cases: what waits for an answer now, the backlog, how promises are kept, and how long solutions take.

A queue of cases has parts on all workers: `case_queries` adds them up.
"""

from collections.abc import Iterator

from grafana_foundation_sdk.builders import stat, table
from grafana_foundation_sdk.models import dashboard
from msgspec.structs import replace

from scripts.dashboards import case_queries as ask
from scripts.dashboards.banner import banner
from scripts.dashboards.case_comparisons import all_requests, beside_last_week
from scripts.dashboards.case_history import history
from scripts.dashboards.frame import Choices, Page, framed
from scripts.dashboards.layout import Row
from scripts.dashboards.panels import Look, Value, lines, numbers, plain, told, worst_first
from scripts.dashboards.queries import QUEUE, quantity
from scripts.dashboards.queues import promised, queue_labels
from stream.core.windows import TODAY
from stream.families.cases.snapshot import PRIORITIES, STATUSES

__all__ = ["CASES", "cases"]

ABOUT = (
    "Cases of a help desk: who waits for an answer now, the backlog, the service level of answers, how long answers "
    "and solutions take, and all requests, contacts and cases together."
)

CASES = Choices(queues="contact_cases_open", windows="contact_case_window_opened", window=TODAY, variable="case_window")

NEUTRAL = "#2b3b55"

LEVEL = "contact_case_first_response_level_ratio"

NOW = {
    "contact_cases_open": "backlog",
    "contact_cases_waiting": "waiting",
    "contact_case_longest_wait_seconds": "longest_wait",
    "contact_cases_past_target": "past_target",
    "contact_cases_due_within_hour": "due_within_hour",
    "contact_case_oldest_seconds": "oldest_seconds",
}
"""What a queue shows of now, and the words of it."""

PROMISES = {
    "contact_case_target_ratio": "service_level_target",
    "contact_case_first_response_target_seconds": "first_response_target",
    "contact_case_next_response_target_seconds": "next_response_target",
    "contact_case_minimum_volume": "minimum_volume",
    "contact_case_age_limit_seconds": "age_limit",
    "contact_case_queue_open": "queue_open",
    "contact_case_queue_quiet": "queue_quiet",
}


def cases(page: Page) -> dashboard.Dashboard:
    """Return the dashboard of cases."""
    page = replace(page.of_family("cases"), scope=replace(page.scope, window=CASES.variable))
    sections = (_now, _backlog, history, beside_last_week, all_requests, _promises)
    rows = [banner(page, 3), *(row for section in sections for row in section(page))]
    return framed(page, "cases", rows, about=ABOUT, choices=CASES, alerts="queue", since="now-7d")


def _now(page: Page) -> Iterator[Row]:
    judged = {
        "contact_cases_past_target": page.scope.parts("contact_cases_past_target"),
        "contact_case_oldest_seconds": f"max ({page.scope.each('contact_case_oldest_seconds')}"
        f" > bool {page.scope.each('contact_case_age_limit_seconds')})",
    }
    yield Row(5, [_tile(page, name, judged.get(name)) for name in NOW])
    yield Row(9, (_worst(page),))


def _tile(page: Page, name: str, judged: str | None) -> stat.Panel:
    word, key = page.words, NOW[name]
    seconds = quantity(name).unit == "seconds"
    whole = f"max ({page.scope.series(name)})" if seconds else page.scope.parts(name)
    values = [Value(name=word[key], expr=whole, look=plain(name, colour=NEUTRAL))]
    if judged is not None:
        values.append(Value(name=word["target_state"], expr=judged, look=page.against(0.5, 1)))
    return numbers(word[key], told(name), values, name=judged is not None)


def _worst(page: Page) -> table.Panel:
    scope, word = page.scope, page.words
    means = {
        "frt": "contact_case_first_response_mean_seconds",
        "resolution_time": "contact_case_full_resolution_mean_seconds",
    }
    columns = [
        Value(name=word["state"], expr=ask.state(scope), look=page.state),
        *(_of_queue(page, name) for name in NOW),
        Value(name=word["first_response_level"], expr=ask.ratio(scope, LEVEL, QUEUE), look=plain(LEVEL)),
        Value(name=word["aim"], expr=ask.target(scope), look=plain("contact_case_target_ratio")),
        Value(name=word["gap"], expr=ask.over_target(scope, LEVEL), look=Look(unit="percentunit", decimals=1)),
        *(Value(name=word[key], expr=ask.mean(scope, name, QUEUE), look=plain(name)) for key, name in means.items()),
    ]
    about = told(LEVEL, "contact_cases_past_target", "contact_cases_due_within_hour")
    return worst_first(word["worst_queues"], about, queue_labels(page), columns, sort=word["state"])


def _of_queue(page: Page, name: str) -> Value:
    seconds = quantity(name).unit == "seconds"
    expr = page.scope.each(name) if seconds else page.scope.parts(name, QUEUE)
    return Value(name=page.words[NOW[name]], expr=expr, look=plain(name))


def _backlog(page: Page) -> Iterator[Row]:
    scope, word = page.scope, page.words
    yield Row(1, title=word["backlog"])
    by_status, by_priority, by_age = (f"contact_cases_by_{part}" for part in ("status", "priority", "age"))
    statuses = [
        Value(name=word[f"status_{one}"], expr=scope.parts(by_status, status=one), look=plain(by_status))
        for one in STATUSES
    ]
    priorities = [
        Value(name=word[f"priority_{one}"], expr=scope.parts(by_priority, priority=one), look=plain(by_priority))
        for one in PRIORITIES
    ]
    ages = Value(name="{{age}}", expr=scope.parts(by_age, ("age",)), look=plain(by_age))
    yield Row(
        8,
        (
            lines(word["by_status"], told(by_status), statuses, stacked=True),
            lines(word["by_priority"], told(by_priority), priorities, stacked=True),
            lines(word["by_age"], told(by_age), [ages], stacked=True),
        ),
    )
    yield Row(7, (_ages(page),))


def _ages(page: Page) -> table.Panel:
    scope, word = page.scope, page.words
    by, bound, open_cases = (*QUEUE, "age"), "contact_case_age_bound_seconds", "contact_cases_by_age"
    columns = [
        Value(name=word["age_up_to"], expr=scope.each(bound, by), look=plain(bound)),
        Value(name=word["backlog"], expr=scope.parts(open_cases, by), look=plain(open_cases)),
    ]
    labels = queue_labels(page) | {"age": word["age_class"]}
    return worst_first(f"{word['backlog']}: {word['by_age']}", told(open_cases, bound), labels, columns)


def _promises(page: Page) -> Iterator[Row]:
    yield Row(1, title=page.words["promises"])
    yield Row(7, (promised(page, "contact_case_policy_info", PROMISES, ("clock", "team")),))
