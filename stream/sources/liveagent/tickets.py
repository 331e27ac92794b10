"""What a ticket of LiveAgent says, whether a rule posts it or the API answers: the same letters, and the same clock."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct, field

from stream.core.cloudevents import Channel
from stream.sources.help_desk import DeskSettings
from stream.sources.queue_names import QueueNames
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.templates import local_instant
from stream.sources.ticket_standing import TicketStanding, TicketState

__all__ = [
    "LIVEAGENT_CHANNELS",
    "LIVEAGENT_STATES",
    "LiveAgentTicket",
    "liveagent_standing",
    "names_of_departments",
]

LIVEAGENT_CHANNELS: Final[Mapping[str, Channel]] = {
    "E": "email",
    "M": "email",  # a contact form
    "B": "chat",  # by a button on a page
    "I": "chat",  # by an invitation
    "C": "voice",
    "W": "voice",  # by a button on a page
    "A": "messaging",  # written to a page of Facebook
    "F": "social",
    "T": "social",
}
"""By the letter of `channel_type`, as the API describes it; forums and suggestions are of no channel of their own."""

LIVEAGENT_STATES: Final[Mapping[str, TicketState]] = {
    "I": "new",
    "N": "new",
    "T": "open",  # chatting
    "P": "open",  # calling
    "C": "open",
    "A": "pending",  # answered: it is the customer's turn
    "W": "on_hold",  # postponed
    "R": "resolved",
    "L": "closed",
    "X": "deleted",
    "B": "spam",
}
"""By the letter of `status`."""

_SYSTEM: Final = "system00"
"""The agent that is none: rules act in its name."""

_DEPARTMENTS: Final = "a list of departments, each with id and name, as `GET /api/v3/departments` answers"

_ShortId = Annotated[str, Meta(max_length=64)]


class LiveAgentTicket(Struct, frozen=True, kw_only=True):
    """A ticket as it is by then; its fields are called as the API calls them, in templates, too."""

    ticket_id: Annotated[str, Meta(min_length=1, max_length=64)] = field(name="id")
    status: str
    date_created: str
    date_changed: str
    department_id: _ShortId | None = field(name="departmentid", default=None)
    agent_id: _ShortId | None = field(name="agentid", default=None)
    contact_id: _ShortId | None = field(name="owner_contactid", default=None)
    channel_type: str | None = None


class _Department(Struct):
    name: str
    id: str | None = None
    department_id: str | None = None
    departmentid: str | None = None


def names_of_departments(file: Path | None) -> QueueNames:
    """Return what departments are called, by a file with what the API answered; raises SettingsError."""
    return QueueNames(file, _listed, _DEPARTMENTS)


def _listed(content: bytes) -> dict[str, str]:
    told = msgspec.json.decode(content, type=list[_Department])
    return {each.department_id or each.departmentid or each.id or "": each.name for each in told}


def liveagent_standing(
    told: LiveAgentTicket,
    desk: DeskSettings,
    zone: ZoneInfo,
    *,
    opened_by: Literal["customer", "agent", "system"] = "system",
    has_last_word: bool = False,
) -> TicketStanding:
    """Return how a ticket stands; raises UnusablePart, which names the field."""
    state = LIVEAGENT_STATES.get(told.status)
    if state is None:
        raise UnusablePart("invalid_field", "no known letter of a status - at `$.status`")
    return TicketStanding(
        number=told.ticket_id,
        queue=desk.queue(told.department_id),
        channel=desk.channel(told.channel_type),
        opened_by=opened_by,
        created_at=_instant(told.date_created, zone, "date_created"),
        at=_instant(told.date_changed, zone, "date_changed"),
        state=state,
        has_last_word=has_last_word,
        agent=None if told.agent_id in {None, "", _SYSTEM} else told.agent_id,
        customer=desk.customer(told.contact_id),
    )


def _instant(text: str, zone: ZoneInfo, name: str) -> datetime:
    return local_instant(text, zone, f"$.{name}")
