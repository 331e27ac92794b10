"""Stories as tables: one event a line, `mm:ss kind contact [field=value …]`, at ten o'clock of a day in November."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec

from stream.core.cloudevents import Event
from stream.core.policies import Policies
from stream.core.ratio import Ratio
from stream.families.contacts import service_level as formulas
from stream.families.contacts.fold import ContactsFold
from stream.families.contacts.rules import Policy
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import Tally
from stream.families.registry import EVENT_TYPES

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
"""When stories begin."""


def after(clock: str) -> datetime:
    """Return the instant `hh:mm:ss` or `mm:ss` after ten."""
    parts = [float(part) for part in clock.split(":")]
    seconds = sum(part * 60**power for power, part in enumerate(reversed(parts)))
    return TEN + timedelta(seconds=seconds)


def event(
    kind: str, contact: str = "ann", at: str | datetime = "00:00", /, **data: Any
) -> Event:  # fields of any event
    """Return one event; queue and source have defaults."""
    time = after(at) if isinstance(at, str) else at
    tag = kind if "." in kind else f"contact.{kind}"
    number = ":".join(f"{name}={value}" for name, value in data.items())
    envelope = {
        "specversion": "1.0",
        "type": tag,
        "id": f"{tag}:{contact}:{time.isoformat()}:{number}",
        "source": data.pop("source", "/pbx"),
        "tenantid": data.pop("tenant", "default"),
        "time": time,
        "subject": contact,
        "data": data if tag.startswith("agent.") else {"queue": "sales", **data},
    }
    return msgspec.convert(envelope, EVENT_TYPES[tag], strict=False)


def story(table: str) -> list[Event]:
    """Return the events of a table."""
    events = []
    for line in filter(str.strip, table.splitlines()):
        at, kind, contact, *fields = line.split()
        events.append(event(kind, contact, at, **dict(field.split("=", 1) for field in fields)))
    return events


def fold_of(events: list[Event], policies: Policies = Policies(), *, batch: int = 1000) -> ContactsFold:
    """Fold events on a new fold, in batches."""
    fold = ContactsFold(policies)
    for start in range(0, len(events), batch):
        chunk = events[start : start + batch]
        applied = fold.apply(chunk, range(start, start + len(chunk)))
        assert not applied.failed, applied.failed
    return fold


def shown(fold: ContactsFold, at: datetime) -> list[QueueSnapshot]:
    """Return what a fold shows at an instant."""
    return [snapshot for _, snapshot in fold.snapshots(at)]


def board_of(
    table: str | list[Event], *, at: str | datetime, policies: Policies = Policies()
) -> dict[str, QueueSnapshot]:
    """Return the snapshot of each queue at an instant, by the name of the queue."""
    fold = fold_of(story(table) if isinstance(table, str) else table, policies)
    instant = after(at) if isinstance(at, str) else at
    return {snapshot.queue: snapshot for snapshot in shown(fold, instant)}


def sales(table: str, *, at: str = "10:00", policies: Policies = Policies()) -> QueueSnapshot:
    """Return the snapshot of the queue `sales`, where most stories happen."""
    return board_of(table, at=at, policies=policies)["sales"]


def figures_of(tally: Tally, policy: Policy) -> SimpleNamespace:
    """Return ratios and means of a tally, by name."""
    ratios = {name: of(tally) for name, of in vars(formulas).items() if isinstance(of, Ratio)}
    return SimpleNamespace(service_level=formulas.service_level(tally, policy.formula), **ratios)
