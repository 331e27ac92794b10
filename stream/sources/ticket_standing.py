"""
What a ticket tells that comes whole with each request, as it stands by then: of desks that never say what has changed.

Each request states all of it. Whoever knows that already learns nothing, so the figures need no comparison, and neither
order nor repetition matters.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, Literal

from msgspec import Struct

from stream.core.cloudevents import Channel, Event
from stream.families.cases.payloads import Priority, Status
from stream.sources.help_desk import DeskSettings
from stream.sources.instants import stamp_of

__all__ = ["TicketStanding", "TicketState", "events_of_standing", "state_named"]

TicketState = Literal["new", "open", "pending", "on_hold", "resolved", "closed", "merged", "spam", "deleted"]
"""What becomes of a ticket on any desk."""

_STATUSES: Final[Mapping[str, Status]] = {"new": "new", "open": "open", "pending": "pending", "on_hold": "on_hold"}


class TicketStanding(Struct, frozen=True, kw_only=True):
    """How a ticket stands, as one request tells it."""

    number: str
    queue: str
    channel: Channel
    opened_by: Literal["customer", "agent", "system"]
    """By the system where that is not told: then the first message says who waits."""
    created_at: datetime
    at: datetime
    """When it was changed last."""
    state: TicketState
    has_last_word: bool = False
    """Whether of requests of one second it tells the queue as a rule has left it: times may be whole seconds."""
    priority: Priority | None = None
    agent: str | None = None
    customer: str | None = None


def state_named(name: str, own: Mapping[str, TicketState], known: Mapping[str, TicketState]) -> TicketState | None:
    """Return the state of this *name*, among a desk's *own* ones and those that are *known*, however it is written."""
    plain = name.strip().casefold()
    return next((state for key, state in own.items() if key.casefold() == plain), known.get(plain))


def events_of_standing(desk: DeskSettings, told: TicketStanding) -> Iterator[Event]:
    """Yield what a ticket tells; each event has the same id wherever it says the same."""
    case = desk.case(told.number)
    stamp = stamp_of(told.at)

    # In which queue a ticket was opened, requests tell differently once it has moved: the earliest is to be believed.
    # Of openings the first counts, so each is told by some milliseconds later: one more where it is twice as old.
    after = timedelta(milliseconds=max(int((told.at - told.created_at).total_seconds()), 0).bit_length())
    last = timedelta(milliseconds=int(told.has_last_word))
    opened = _digest(after + last, told.queue, told.channel, told.opened_by, told.customer)
    yield desk.cases(f"{told.number}/opened/{opened}").opened(
        case,
        told.queue,
        channel=told.channel,
        opened_by=told.opened_by,
        customer=told.customer,
        at=told.created_at + after + last,
    )
    assigned = _digest(told.queue, told.agent, told.customer)
    yield desk.cases(f"{told.number}/assigned/{stamp_of(told.at + last)}/{assigned}").assigned(
        case, told.queue, agent=told.agent, customer=told.customer, at=told.at + last
    )
    if told.priority is not None:
        yield desk.cases(f"{told.number}/priority/{stamp}/{told.priority}").status_changed(
            case, priority=told.priority, at=told.at
        )
    yield from _state(desk, told, f"{told.number}/{told.state}/{stamp}")


def _state(desk: DeskSettings, told: TicketStanding, name: str) -> Iterator[Event]:
    case, cases = desk.case(told.number), desk.cases(name)
    match told.state:
        case "resolved":
            who = _digest(told.queue, told.agent, told.customer)
            yield desk.cases(f"{name}/{who}").resolved(
                case, queue=told.queue, channel=told.channel, agent=told.agent, customer=told.customer, at=told.at
            )
        case "closed":
            yield cases.closed(case, at=told.at)
        case "merged":
            # Where it goes on is not told.
            yield cases.merged(case, desk.case("unknown"), at=told.at)
        case "spam" | "deleted" as reason:
            yield cases.deleted(case, reason, at=told.at)
        case status:
            # Of one that was open already that changes nothing.
            yield desk.cases(f"{told.number}/reopened/{stamp_of(told.at)}").reopened(case, at=told.at)
            yield cases.status_changed(case, _STATUSES[status], at=told.at)


def _digest(*parts: object) -> str:
    """Return few letters that stand for what may be long."""
    return blake2b(repr(parts).encode(errors="surrogatepass"), digest_size=8).hexdigest()
