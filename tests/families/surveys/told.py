"""Stories of surveys as tables: one event a line, `day hh:mm kind subject [field=value …]`; day 1 is in November."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from stream.core.cloudevents import Event
from stream.core.family import Applied
from stream.core.figure import Reading
from stream.core.policies import Policies
from stream.families.registry import EVENT_TYPES
from stream.families.surveys.counts import SurveyCounts
from stream.families.surveys.fold import SurveysFold
from stream.families.surveys.scores import Estimate, estimates
from stream.families.surveys.snapshot import SurveySnapshot

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
"""Day 1 of every story."""

_TYPES = {
    "invited": "survey.invited",
    "answered": "survey.answered",
    "changed": "survey.changed",
    "reviewed": "quality.reviewed",
}


def on(day: int, clock: str = "12:00") -> datetime:
    """Return an instant of a story; days may be 0 or less."""
    hours, minutes = map(int, clock.split(":"))
    return FIRST + timedelta(days=day - 1, hours=hours, minutes=minutes)


def survey_event(kind: str, subject: str, at: datetime, /, **data: Any) -> Event:
    """Return one event; a survey is of satisfaction with the queue `sales`, by chat, if nothing else is told."""
    tag = _TYPES[kind]
    told = {"queue": "sales", "channel": "chat", **({} if kind == "reviewed" else {"kind": "csat"}), **data}
    envelope = {
        "specversion": "1.0",
        "type": tag,
        "id": f"{tag}:{subject}:{at.isoformat()}",
        "source": "/surveys",
        "tenantid": told.pop("tenant", "acme"),
        "time": at,
        "subject": subject,
        "data": {name: value for name, value in told.items() if value != "none"},
    }
    return msgspec.convert(envelope, EVENT_TYPES[tag], strict=False)


def told(table: str) -> list[Event]:
    """Return the events of a table."""
    events = []
    for line in filter(str.strip, table.splitlines()):
        day, clock, kind, subject, *fields = line.split()
        data: dict[str, Any] = dict(field.split("=", 1) for field in fields)
        if "categories" in data:
            data["categories"] = [_category(one) for one in data["categories"].split(",")]
        events.append(survey_event(kind, subject, on(int(day), clock), **data))
    return events


def _category(text: str) -> dict[str, Any]:
    """Read `name:score/max*weight`, with `!` behind it where it is critical; a score of `-` did not apply."""
    name, _, rest = text.partition(":")
    score, _, rest = rest.rstrip("!").partition("/")
    most, _, weight = rest.partition("*")
    return {
        "name": name,
        "score": None if score == "-" else int(score),
        "max": int(most),
        "weight": int(weight or 1),
        "critical": text.endswith("!"),
    }


def surveys_fold_of(events: Iterable[Event], policies: Policies = Policies(), *, batch: int = 1000) -> SurveysFold:
    """Fold events on a new fold, in batches, each settled as for a checkpoint."""
    fold, events = SurveysFold(policies), [*events]
    for start in range(0, len(events), batch):
        chunk = events[start : start + batch]
        applied = fold.apply(chunk, range(start, start + len(chunk)))
        assert not applied.failed, applied.failed
        fold.settle()
    return fold


def applied_by(fold: SurveysFold, events: list[Event], first: int = 0) -> Applied:
    """Apply events as one batch."""
    return fold.apply(events, range(first, first + len(events)))


def snapshots_of(fold: SurveysFold, at: datetime) -> list[SurveySnapshot]:
    """Return what a fold shows at an instant, by its keys."""
    return sorted((one for _, one in fold.snapshots(at)), key=lambda one: one.key)


def rated(events: list[Event] | str, at: datetime, policies: Policies = Policies(), **of: str) -> SurveySnapshot:
    """Return the one snapshot with these labels: that of the whole queue where none is told."""
    fold = surveys_fold_of(told(events) if isinstance(events, str) else events, policies)
    wanted = {"queue": "sales", "channel": "chat", "group": "", "agent": "", **of}
    [found] = [
        one for one in snapshots_of(fold, at) if all(getattr(one, name) == value for name, value in wanted.items())
    ]
    return found


def figure(snapshot: SurveySnapshot, name: str, window: str = "7d") -> Estimate:
    """Return one figure of a snapshot."""
    [found] = estimates(Reading(on(1), [snapshot]), name, window)
    return found


def counted(snapshot: SurveySnapshot, window: str = "7d") -> SurveyCounts:
    """Return what a window has counted."""
    return snapshot.counted.window(window, SurveyCounts)
