"""Satisfaction and quality: a row for each queue with margins of error, the same over time, and groups of customers."""

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard

from scripts.dashboards.banner import banner
from scripts.dashboards.frame import SURVEYS, Page, framed
from scripts.dashboards.layout import Row
from scripts.dashboards.panels import Value, lines, plain, told, worst_first
from scripts.dashboards.queries import QUEUE
from scripts.dashboards.queues import promised, queue_labels

__all__ = ["satisfaction"]

ABOUT = "How satisfied customers are and how good conversations were found, over days, with margins of error."

DAYS = "$days"
"""The window that a reader chooses: those of contacts are too short."""

TOO_OFTEN = "contact_customer_window_asked_too_often"

_SCORES = {
    "csat": "contact_csat_{}ratio",
    "nps": "contact_nps_{}score",
    "ces": "contact_ces_{}score",
    "iqs": "contact_iqs_{}ratio",
}
"""What has a margin of error and a period before."""

_PROMISES = {
    "contact_csat_target_ratio": "aim",
    "contact_survey_minimum_answers": "minimum_volume",
    "contact_survey_queue_open": "queue_open",
    "contact_survey_queue_quiet": "queue_quiet",
}

_GROUP = (*QUEUE, "group")


def satisfaction(page: Page) -> dashboard.Dashboard:
    """Return the dashboard of surveys and reviews."""
    rows = [banner(page, 3), Row(11, (_queues(page),)), Row(8, [_over_time(page, name) for name in ("csat", "nps")])]
    rows += [
        Row(8, (_asking(page), _groups(page))),
        Row(7, (promised(page, "contact_survey_policy_info", _PROMISES, ("team",)),)),
    ]
    return framed(page, "satisfaction", rows, about=ABOUT, choices=SURVEYS)


def _value(page: Page, name: str, word: str, **equals: str) -> Value:
    return Value(name=page.words[word], expr=page.scope.each(name, QUEUE, window=DAYS, **equals), look=plain(name))


def _score(page: Page, name: str) -> list[Value]:
    of = _SCORES[name]
    return [
        _value(page, of.format(""), name),
        *(_value(page, of.format("bound_"), f"{name}_bounds_{bound}", bound=bound) for bound in ("lower", "upper")),
        _value(page, of.format("before_"), f"{name}_before"),
    ]


def _queues(page: Page) -> Builder[dashboard.Panel]:
    values = [value for name in _SCORES for value in _score(page, name)]
    values.append(_value(page, "contact_csat_mean_score", "csat_mean"))
    values.append(_value(page, "contact_iqs_passed_ratio", "iqs_passed"))
    names = [_SCORES[name].format("") for name in _SCORES]
    return worst_first(page.words["title_satisfaction"], told(*names), queue_labels(page), values)


def _over_time(page: Page, name: str) -> Builder[dashboard.Panel]:
    of = _SCORES[name]
    legend = "{{queue}} {{channel}}"
    values = [Value(name=legend, expr=page.scope.each(of.format(""), window=DAYS), look=plain(of.format("")))]
    return lines(page.words[name], told(of.format("")), values)


def _asking(page: Page) -> Builder[dashboard.Panel]:
    csat = {"kind": "csat"}
    values = [
        _value(page, "contact_survey_response_ratio", "response_rate", **csat),
        _value(page, "contact_survey_window_answers", "csat_answers", **csat),
        _value(page, "contact_survey_window_invitations", "survey_invitations", **csat),
        _value(page, "contact_survey_window_comments", "survey_comments"),
        Value(
            name=page.words["asked_too_often"],
            # The customers of a queue are on all workers.
            expr=page.scope.parts(TOO_OFTEN, QUEUE, window=DAYS),
            look=plain(TOO_OFTEN),
        ),
        _value(page, "contact_survey_window_reviews", "reviews"),
    ]
    description = told("contact_survey_response_ratio", TOO_OFTEN)
    return worst_first(page.words["asking"], description, queue_labels(page), values)


def _groups(page: Page) -> Builder[dashboard.Panel]:
    scope, word = page.scope, page.words
    names = {"contact_survey_group_csat_ratio": "csat", "contact_survey_group_nps_score": "nps"}
    values = [
        Value(name=word[key], expr=scope.each(name, _GROUP, window="30d"), look=plain(name))
        for name, key in names.items()
    ]
    answers = "contact_survey_group_window_answers"
    expr = scope.each(answers, _GROUP, window="30d", kind="csat")
    values.append(Value(name=word["csat_answers"], expr=expr, look=plain(answers)))
    labels = {**queue_labels(page), "group": word["group"]}
    return worst_first(word["groups"], told(*names), labels, values)
