"""Alerts about surveys: satisfaction that falls, and customers who are asked too often."""

from datetime import timedelta

from scripts.alerts.alert import Alert, Recording
from scripts.alerts.expressions import BY_QUEUE, alerted, by_queue, is_not_so, is_so, series, teams

__all__ = ["SURVEY_ALERTS", "SURVEY_RECORDINGS"]

AWAKE = "queue:contact_survey_awake:team"
"""1 for every queue with surveys in its opening hours and out of its quiet ones, with its team."""

A_WEEK = "7d"
"""The window that is told of: a day seldom has answers enough."""

MANY = 0.05
"""Some customers are asked once too often everywhere; of so large a share of the invitations somebody should hear."""

FIVE_MINUTES = timedelta(minutes=5)
"""One answer more or less is no alert, and no all-clear."""


def _falling() -> str:
    """Return the share satisfied where it is below its target, and even its upper bound below that of before."""
    upper = by_queue("contact_csat_bound_ratio", window=A_WEEK, bound="upper")
    # Of the answers: a bound is wide where they are few, and below the policy's minimum nothing is said at all.
    answers = by_queue("contact_survey_window_answers", window=A_WEEK, kind="csat")
    return (
        f"{by_queue('contact_csat_ratio', window=A_WEEK)} < {by_queue('contact_csat_target_ratio')}\n"
        f"and ({upper} < {by_queue('contact_csat_before_ratio', window=A_WEEK)})\n"
        f"and ({answers} >= {by_queue('contact_survey_minimum_answers')})"
    )


def _asked_too_often() -> str:
    """Return the invitations of customers who had been asked often enough, where they are many."""
    # The customers of a queue are on all workers.
    too_often, invited = (
        f"sum by ({BY_QUEUE}) ({series(f'contact_customer_window_{what}', window=A_WEEK)})"
        for what in ("asked_too_often", "asked")
    )
    return f"{too_often} > {MANY:g} * {invited}\nand ({too_often} >= {by_queue('contact_survey_minimum_answers')})"


SURVEY_RECORDINGS = (
    Recording(
        name=AWAKE,
        expr=teams(
            "contact_survey_policy_info", is_so("contact_survey_queue_open"), is_not_so("contact_survey_queue_quiet")
        ),
    ),
)

SURVEY_ALERTS = (
    Alert(
        name="ContactSatisfactionFalling",
        expr=alerted(_falling(), AWAKE),
        severity="info",
        dashboard="satisfaction",
        summary="{where}: {value} satisfied over 7d, the target is {limit}",
        description="Even the upper end of its margin of error is below the share of the seven days before. "
        "Read what customers say, and look at what changed.",
        value="ratio",
        limit="contact_csat_target_ratio",
        pending=FIVE_MINUTES,
        lingers=FIVE_MINUTES,
    ),
    Alert(
        name="ContactCustomersAskedTooOften",
        expr=alerted(_asked_too_often(), AWAKE),
        severity="info",
        dashboard="satisfaction",
        summary="{where}: {value} invitations over 7d to customers who had been asked often enough",
        description=f"More than {MANY:.0%} of its invitations of known customers, whichever queues had asked before. "
        "Who is asked too often answers no more: have the survey tool ask each customer less often.",
        pending=FIVE_MINUTES,
        lingers=FIVE_MINUTES,
    ),
)
