"""Alerts about cases: who waits too long for an answer, and what is never solved, judged by the policy of each queue.

The cases of a queue are on all workers, so counts are added up, and a ratio is made of the sums.
"""

from datetime import timedelta

from scripts.alerts.alert import Alert, Recording
from scripts.alerts.expressions import BY_QUEUE, by_queue, indented, series

__all__ = ["CASE_ALERTS", "CASE_RECORDINGS"]

SERVED = "queue:contact_case_awake:team"
"""1 for every queue of cases in its opening hours and out of its quiet ones, with its team."""
LEVEL = "queue:contact_case_first_response_level:ratio"
"""The service level of first answers over all workers, by window."""

AN_HOUR = timedelta(hours=1)
FIVE_MINUTES = timedelta(minutes=5)
"""Cases live for hours: while a partition changes hands, some are counted twice or not at all, and that is no alert."""
QUARTER = timedelta(minutes=15)
"""One answer more or less brings a level to either side of its target: that is neither an alert nor an all-clear."""


def _of_all(name: str, **values: str) -> str:
    """Return what a queue has of something on all workers."""
    return f"sum by ({BY_QUEUE}) ({series(name, **values)})"


def _told_of_served(condition: str) -> str:
    return f"(\n{indented(condition)}\n)\n* on ({BY_QUEUE}) group_left (team) {SERVED}"


def _windowed(name: str) -> str:
    return f"sum by ({BY_QUEUE}, window) ({series(name)})"


CASE_RECORDINGS = (
    Recording(
        name=SERVED,
        # One team, also while workers come to know of another: a join must not find two.
        expr=f"topk by ({BY_QUEUE}) (1, max by ({BY_QUEUE}, team) ({series('contact_case_policy_info')}))\n"
        f"and on ({BY_QUEUE}) ({by_queue('contact_case_queue_open')} == 1)\n"
        f"unless on ({BY_QUEUE}) ({by_queue('contact_case_queue_quiet')} == 1)",
    ),
    Recording(
        name=LEVEL,
        expr=f"{_windowed('contact_case_window_first_responses_in_target')}\n"
        f"/ ({_windowed('contact_case_window_first_responses')} > 0)",
    ),
)

_LONGER_THAN_AN_HOUR = "\n".join(
    f"and ({by_queue(f'contact_case_{which}_response_target_seconds')} > {AN_HOUR.total_seconds():g})"
    for which in ("first", "next")
)
"""Where an answer is promised within the hour, all who wait are due within it: that is no news."""

CASE_ALERTS = (
    Alert(
        name="ContactCaseAnswersLate",
        expr=_told_of_served(f"{_of_all('contact_cases_past_target')} > 0"),
        severity="warning",
        dashboard="cases",
        summary="{where}: {value} waiting for an answer that is late",
        description="Their customers have waited longer than the target of the queue, for five minutes at least. "
        "Answer the oldest first; its dashboard says how long they wait.",
        pending=FIVE_MINUTES,
        lingers=FIVE_MINUTES,
    ),
    Alert(
        name="ContactCaseAnswersDue",
        expr=_told_of_served(f"{_of_all('contact_cases_due_within_hour')} > 0\n{_LONGER_THAN_AN_HOUR}"),
        severity="warning",
        dashboard="cases",
        summary="{where}: {value} to be answered within the hour",
        description="Their customers wait for an answer, and for less than an hour it can still be in time. "
        "Answer them now, before newer ones.",
        pending=FIVE_MINUTES,
        lingers=FIVE_MINUTES,
    ),
    Alert(
        name="ContactCaseServiceLevel",
        expr=_told_of_served(
            f'max by ({BY_QUEUE}) ({LEVEL}{{window="today"}}) < {by_queue("contact_case_target_ratio")}\n'
            f"and ({_of_all('contact_case_window_first_responses', window='today')}\n"
            f"  >= {by_queue('contact_case_minimum_volume')})"
        ),
        severity="warning",
        dashboard="cases",
        summary="{where}: {value} of the first answers today were in time, the target is {limit}",
        description="For a quarter of an hour the service level of first answers has been below its target. "
        "Move agents to the queue, and plan more for the rest of the day.",
        value="ratio",
        limit="contact_case_target_ratio",
        pending=QUARTER,
        lingers=QUARTER,
    ),
    Alert(
        name="ContactCaseBacklogAge",
        expr=_told_of_served(
            f"{by_queue('contact_case_oldest_seconds')}\n> {by_queue('contact_case_age_limit_seconds')}"
        ),
        severity="info",
        dashboard="cases",
        summary="{where}: a case has been open for {value}, the limit is {limit}",
        description="The oldest open case is older than the limit of its queue. Solve it, or say that it is solved: "
        "some are only forgotten.",
        value="seconds",
        limit="contact_case_age_limit_seconds",
        pending=FIVE_MINUTES,
        lingers=FIVE_MINUTES,
    ),
)
