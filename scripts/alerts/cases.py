"""Alerts about cases: who waits too long for an answer, and what is never solved, judged by the policy of each queue.

The cases of a queue are on all workers, so counts are added up, and a ratio is made of the sums.
"""

from datetime import timedelta

from scripts.alerts.alert import Alert, Recording
from scripts.alerts.expressions import BY_QUEUE, alerted, by_queue, is_not_so, is_so, series, teams

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


def _windowed(name: str) -> str:
    return f"sum by ({BY_QUEUE}, window) ({series(name)})"


CASE_RECORDINGS = (
    Recording(
        name=SERVED,
        expr=teams("contact_case_policy_info", is_so("contact_case_queue_open"), is_not_so("contact_case_queue_quiet")),
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
        expr=alerted(f"{_of_all('contact_cases_past_target')} > 0", SERVED),
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
        expr=alerted(f"{_of_all('contact_cases_due_within_hour')} > 0\n{_LONGER_THAN_AN_HOUR}", SERVED),
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
        expr=alerted(
            f'max by ({BY_QUEUE}) ({LEVEL}{{window="today"}}) < {by_queue("contact_case_target_ratio")}\n'
            f"and ({_of_all('contact_case_window_first_responses', window='today')}\n"
            f"  >= {by_queue('contact_case_minimum_volume')})",
            SERVED,
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
        expr=alerted(
            f"{by_queue('contact_case_oldest_seconds')}\n> {by_queue('contact_case_age_limit_seconds')}", SERVED
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
