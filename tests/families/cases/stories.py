"""Events of cases as short tables, and what a fold makes of them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from stream.core.cloudevents import Event
from stream.core.family import merged
from stream.core.policies import Policies
from stream.families.cases import events as of
from stream.families.cases import payloads as data
from stream.families.cases.fold import CasesFold
from stream.families.cases.snapshot import CasesSnapshot
from stream.families.cases.tally import CaseTally
from stream.families.registry import FAMILIES

__all__ = ["DAY", "FAMILY", "HOUR", "NINE", "board_of", "case", "counted", "folded", "only"]

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FAMILY = next(family for family in FAMILIES if family.name == "cases")

_KINDS: dict[str, tuple[type[Any], type[Any]]] = {
    "opened": (of.CaseOpened, data.OpenedData),
    "assigned": (of.CaseAssigned, data.AssignedData),
    "changed": (of.CaseStatusChanged, data.StatusData),
    "resolved": (of.CaseResolved, data.CaseData),
    "reopened": (of.CaseReopened, data.CaseData),
    "closed": (of.CaseClosed, data.CaseData),
    "merged": (of.CaseMerged, data.MergedData),
    "deleted": (of.CaseDeleted, data.DeletedData),
    "received": (of.MessageReceived, data.ReceivedData),
    "sent": (of.MessageSent, data.SentData),
}
_USUAL: dict[str, dict[str, Any]] = {"opened": {"queue": "support"}, "assigned": {"queue": "billing"}}


def case(kind: str, at: datetime | float, name: str = "4711", **told: Any) -> Event:
    """Return an event of a case, at an instant or so many hours after nine."""
    when = at if isinstance(at, datetime) else NINE + at * HOUR
    event, payload = _KINDS[kind]
    told = {**_USUAL.get(kind, {}), **({"into": "1"} if kind == "merged" else {}), **told}
    return cast(
        "Event",
        event(
            specversion="1.0",
            id=f"{name}-{kind}-{when}",
            source="/desk",
            subject=name,
            time=when,
            tenantid="acme",
            data=payload(**told),
        ),
    )


def folded(events: Iterable[Event], policies: Policies = Policies(), **options: Any) -> CasesFold:
    """Return a fold that has applied events, one batch for all."""
    told = [*events]
    fold = CasesFold(policies, **options)
    fold.apply(told, range(len(told)))
    fold.settle()
    return fold


def board_of(fold: CasesFold, at: datetime) -> tuple[CasesSnapshot, ...]:
    """Return what a board has at an instant."""
    return merged(one for _, one in fold.snapshots(at))


def only(fold: CasesFold, at: datetime, queue: str = "support") -> CasesSnapshot:
    """Return what it has of one queue."""
    (found,) = [one for one in board_of(fold, at) if one.queue == queue]
    return found


def counted(fold: CasesFold, at: datetime, window: str = "today", queue: str = "support") -> dict[str, Any]:
    """Return the counts of one queue in a window that are not 0."""
    tally = only(fold, at, queue).counted.window(window, CaseTally)
    values = {name: getattr(tally, name) for name in CaseTally.__struct_fields__ if not name.endswith("_in")}
    return {name: value for name, value in values.items() if value}
