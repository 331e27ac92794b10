"""Stories of customers as tables: one event a line, `day hh:mm kind subject [field=value …]`; day 1 is in November."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import asdict

from stream.core.cloudevents import Event, tag_of
from stream.core.family import Applied
from stream.core.figure import Reading
from stream.core.policies import Policies
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.events import EVENTS
from stream.families.customers.figures import FIGURES
from stream.families.customers.fold import CustomersFold
from stream.families.customers.snapshot import CustomersSnapshot

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
"""Day 1 of every story."""

_TYPES = {tag_of(kind): kind for kind in EVENTS}

_AT_SUPPORT = {"queue": "support"}

_MOSTLY: dict[str, dict[str, Any]] = {
    "customer.contacted": _AT_SUPPORT | {"served": True},
    "customer.handed_over": _AT_SUPPORT,
    "customer.solved": _AT_SUPPORT,
    "customer.asked": _AT_SUPPORT,
}
"""What is told of an event if nothing else is."""

_FLAGS = {"true": True, "false": False}


def on(day: int, clock: str = "12:00") -> datetime:
    """Return an instant of a story; days may be 0 or less."""
    hours, minutes = map(int, clock.split(":"))
    return FIRST + timedelta(days=day - 1, hours=hours, minutes=minutes)


def customer_event(kind: str, subject: str, at: datetime, /, **data: Any) -> Event:
    """Return one event; *kind* is `contacted`, `cart.created`, and so on."""
    tag = kind if "." in kind else f"customer.{kind}"
    told = _MOSTLY.get(tag, {}) | data
    envelope = {
        "specversion": "1.0",
        "type": tag,
        "id": f"{tag}:{subject}:{at.isoformat()}:{sorted(data.items())}"[:250],
        "source": "/crm",
        "tenantid": told.pop("tenant", "acme"),
        "time": at,
        "subject": subject,
        "data": told,
    }
    return msgspec.convert(envelope, _TYPES[tag], strict=False)


def told(table: str) -> list[Event]:
    """Return the events of a table."""
    events = []
    for line in filter(str.strip, table.splitlines()):
        day, clock, kind, subject, *fields = line.split()
        data = {name: _FLAGS.get(value, value) for name, value in (field.split("=", 1) for field in fields)}
        events.append(customer_event(kind, subject, on(int(day), clock), **data))
    return events


def customers_fold_of(
    events: Iterable[Event], policies: Policies = Policies(), *, batch: int = 7, **options: Any
) -> CustomersFold:
    """Return a fold that has applied events, and settled."""
    fold = CustomersFold(policies, **options)
    apply(fold, [*events], batch=batch)
    fold.settle()
    return fold


def apply(fold: CustomersFold, events: list[Event], *, first: int = 0, batch: int = 7) -> Applied:
    """Apply events whose offsets begin with *first*, so many at a time; return what became of all."""
    whole = Applied()
    for start in range(0, len(events), batch):
        some = events[start : start + batch]
        applied = fold.apply(some, range(first + start, first + start + len(some)))
        assert not applied.failed, applied.failed
        for name in ("duplicates", "replayed", "late", "overflowed"):
            setattr(whole, name, getattr(whole, name) + getattr(applied, name))
    return whole


def snapshots_of(fold: CustomersFold, at: datetime) -> dict[tuple[str, ...], CustomersSnapshot]:
    """Return what a fold shows at an instant, by queue, channel, plan and group."""
    return {snapshot.key[1:]: snapshot for _, snapshot in fold.snapshots(at)}


EVERYBODY = ("", "", "", "")
"""All customers of a tenant, as queue, channel, plan and group."""

SUPPORT = ("support", "voice", "", "")


def of_plan(plan: str) -> tuple[str, str, str, str]:
    """Return the customers of a plan, as queue, channel, plan and group."""
    return ("", "", plan, "")


def figure(
    of: CustomersFold, at: datetime, name: str, window: str = "", part: tuple[str, ...] = EVERYBODY, by: str = ""
) -> Any:
    """
    Return one figure as a metric has it, of an instant; *name* without `contact_`.

    *by* is the kind or channel of a figure that there are several of. None: there is no sample.
    """
    found = next(one for one in FIGURES if one.metric is not None and one.metric.name == f"contact_{name}")
    column = found.by[by] if by else found.column
    assert column is not None
    [value] = column(Reading(at, [snapshots_of(of, at)[part]]), window)
    return value


def counts_of(snapshot: CustomersSnapshot, window: str) -> dict[str, int | list[int]]:
    """Return what is counted in a window, but for zeros."""
    counted = asdict(snapshot.counted.window(window, CustomerCounts))
    return {name: value for name, value in counted.items() if (any(value) if isinstance(value, list) else value)}
