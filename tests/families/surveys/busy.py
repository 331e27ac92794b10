"""What is rated, with a sample of every figure that surveys have."""

from datetime import datetime, time, timedelta

from stream.core.calendar import EVERY_DAY, Span
from stream.core.cloudevents import Event
from stream.core.policies import Policies, Rule
from stream.families.surveys.snapshot import SurveySnapshot
from tests.families.surveys.told import snapshots_of, survey_event, surveys_fold_of

__all__ = ["a_busy_survey", "busy_events"]


def busy_events(at: datetime) -> list[Event]:
    """Return two weeks of surveys of one queue: every kind, a group, changes, reviews, and one invitation too many."""
    events = []
    for age in range(14, -1, -1):
        day = at - timedelta(days=age, hours=2)
        for kind in ("csat", "ces", "nps"):
            one = f"{kind}-{age}"
            place = {"kind": kind, "group": "vip" if age % 2 else "none"}
            events += [
                survey_event("invited", one, day, customer="c1", **place),
                survey_event("answered", one, day + timedelta(hours=1), score=10 - age % 3, scale="0-10", **place),
                survey_event(
                    "changed", one, day + timedelta(hours=2), score=age % 9, scale="0-10", comment=True, **place
                ),
            ]
        categories = [{"name": "tone", "score": 3 + age % 2, "max": 4}]
        events += [
            survey_event("reviewed", f"r-{age}", day, categories=categories),
            survey_event("reviewed", f"r-{age}", day + timedelta(hours=1), categories=[*categories, *categories]),
        ]
        # An invitation that was sent before the one that was told first.
        events.append(survey_event("invited", f"csat-{age}", day - timedelta(hours=1)))
    return events


def a_busy_survey(at: datetime) -> tuple[SurveySnapshot, ...]:
    """Return what is shown of them at an instant, by the keys of what is rated."""
    hours = (Span(EVERY_DAY, time(22), time(6)),)
    policies = Policies(rules=(Rule(changes={"quiet_hours": hours, "team": "claims"}),))
    return tuple(snapshots_of(surveys_fold_of(busy_events(at), policies), at))
