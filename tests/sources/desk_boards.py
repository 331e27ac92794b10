"""What help desks tell, and what a board has of it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from stream.core.cloudevents import Event
from stream.families.cases.tally import CaseTally
from stream.sources.source import Received, Webhook
from tests.families.cases.stories import board_of, folded

__all__ = ["Counted", "counted_cases", "counts", "open_cases", "said", "told_by"]

Counted = dict[tuple[str, str], dict[str, int]]
"""What is not 0 of what each queue and channel has counted."""


def counts(*told: str) -> dict[str, int]:
    """Return what is counted, as `opened 1, sent 2`."""
    return {name: int(number) for line in told for name, number in (each.split() for each in line.split(", "))}


def told_by(webhook: Webhook, requests: Iterable[Received]) -> list[Event]:
    """Return what requests tell that are verified."""
    asked = [*requests]
    assert all(webhook.verified(request) for request in asked)
    return [event for request in asked for event in webhook.events(request)]


def counted_cases(events: Iterable[Event], at: datetime) -> Counted:
    """Return what a board has counted in all, of whatever is about cases."""
    cases = [event for event in events if event.topic == "cases"]
    return {
        (one.queue, one.channel): _not_nothing(one.counted.window("all", CaseTally))
        for one in board_of(folded(cases), at)
    }


def open_cases(events: Iterable[Event], at: datetime) -> Mapping[tuple[str, str], tuple[int, int]]:
    """Return how many cases are open, and how many wait for an answer."""
    cases = [event for event in events if event.topic == "cases"]
    return {(one.queue, one.channel): (one.open, one.waiting) for one in board_of(folded(cases), at)}


def _not_nothing(tally: CaseTally) -> dict[str, Any]:
    names = [
        name for name in CaseTally.__struct_fields__ if not name.endswith(("_in", "_target")) and "busi" not in name
    ]
    return {name: getattr(tally, name) for name in names if getattr(tally, name)}


def said(event: Event) -> str:
    """Return an event as a line: what happened, when on which day of a month, and what is told of it."""
    data: Any = event.data
    told = {name: getattr(data, name) for name in data.__struct_fields__}
    kind = type(event).__struct_config__.tag
    return f"{event.time:%d %H:%M:%S} {kind} " + " ".join(f"{k}={v}" for k, v in sorted(told.items()) if v is not None)
