"""What Intercom's notifications of conversations hold, in the versions 2 of its API: only what figures are made of."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from stream.core.windows import EPOCH

__all__ = [
    "DeletedConversation",
    "IntercomAuthor",
    "IntercomConversation",
    "IntercomNotification",
    "IntercomPart",
    "RatedConversation",
    "intercom_name",
]

_CONTACTS: Final = frozenset({"user", "lead", "contact", "visitor"})

_EpochSeconds = Annotated[int, Meta(ge=1_262_304_000, le=4_102_444_800)]
"""From 2010 to 2100: milliseconds that were taken for seconds would be far behind."""
_Name = Annotated[str, Meta(min_length=1, max_length=64)]
_IntercomId = _Name | Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Word = Annotated[str, Meta(max_length=64)]


class IntercomAuthor(Struct):
    """Who wrote something, or was rated."""

    type: _Word
    id: _IntercomId | None = None
    from_ai_agent: bool | None = None
    """Fin may write in the name of a teammate."""

    @property
    def by(self) -> Literal["contact", "agent", "bot"]:
        """Whether a customer, a teammate or a machine wrote."""
        if self.type in _CONTACTS:
            return "contact"
        return "agent" if self.type == "admin" and not self.from_ai_agent else "bot"

    @property
    def agent(self) -> str | None:
        """Which teammate, if it is one."""
        return intercom_name(self.id) if self.by == "agent" else None


class IntercomPart(Struct):
    """One thing that happened in a conversation, such as a reply."""

    id: _IntercomId
    part_type: _Word
    created_at: _EpochSeconds
    author: IntercomAuthor

    @property
    def at(self) -> datetime:
        """When it happened."""
        return _instant(self.created_at)

    @property
    def is_note(self) -> bool:
        """Whether it is for teammates only."""
        return self.part_type.startswith("note")


class _Parts(Struct):
    conversation_parts: list[IntercomPart] = []


class _Beginning(Struct):
    """What a conversation began with."""

    type: _Word
    author: IntercomAuthor
    id: _IntercomId | None = None
    delivered_as: _Word | None = None


class _Contact(Struct):
    id: _IntercomId


class _Contacts(Struct):
    contacts: list[_Contact] = []


class IntercomConversation(Struct):
    """A conversation as it stands by then, with the parts that a notification is about."""

    id: _IntercomId
    created_at: _EpochSeconds
    source: _Beginning
    state: _Word | None = None
    priority: _Word | None = None
    admin_assignee_id: _IntercomId | None = None
    team_assignee_id: _IntercomId | None = None
    contacts: _Contacts | None = None
    conversation_parts: _Parts | None = None

    @property
    def began_at(self) -> datetime:
        """When it began."""
        return _instant(self.created_at)

    @property
    def customer(self) -> str | None:
        """Whose it is: of a group of contacts nobody in particular."""
        known = self.contacts.contacts if self.contacts else []
        return intercom_name(known[0].id) if len(known) == 1 else None

    @property
    def team(self) -> str | None:
        """Who is to solve it; 0 is nobody."""
        return intercom_name(self.team_assignee_id)

    @property
    def agent(self) -> str | None:
        """Who of the team is; 0 is nobody."""
        return intercom_name(self.admin_assignee_id)

    @property
    def parts(self) -> list[IntercomPart]:
        """The parts that are told, the oldest first."""
        told = self.conversation_parts.conversation_parts if self.conversation_parts else []
        return sorted(told, key=lambda part: part.created_at)


class _Item(Struct):
    item: IntercomConversation


class IntercomNotification(Struct):
    """That something happened to a conversation."""

    id: _Name
    created_at: _EpochSeconds
    data: _Item

    @property
    def at(self) -> datetime:
        """When it happened: notifications are made later, and not in the order of what they tell."""
        parts = self.data.item.parts
        return parts[-1].at if parts else _instant(self.created_at)


class _Rating(Struct):
    rating: Annotated[int, Meta(ge=1, le=5)]
    updated_at: _EpochSeconds | None = None
    # Its `created_at` is when the customer was asked.
    contact: _Contact | None = None
    teammate: IntercomAuthor | None = None


class _RatedTalk(IntercomConversation, kw_only=True):
    # Of one that is not rated it may be null, or have nothing but nulls.
    conversation_rating: _Rating


class _RatedItem(Struct):
    item: _RatedTalk


class RatedConversation(Struct):
    """That a customer said how satisfied they are."""

    id: _Name
    created_at: _EpochSeconds
    data: _RatedItem

    @property
    def at(self) -> datetime:
        """When they said so."""
        return _instant(self.data.item.conversation_rating.updated_at or self.created_at)


class _Gone(Struct):
    conversation_id: _IntercomId | None = None
    id: _IntercomId | None = None


class _GoneItem(Struct):
    item: _Gone


class DeletedConversation(Struct):
    """That a conversation is gone: nothing but its id is told."""

    id: _Name
    created_at: _EpochSeconds
    data: _GoneItem

    @property
    def at(self) -> datetime:
        """When it was told."""
        return _instant(self.created_at)

    @property
    def number(self) -> str | None:
        """Which one it was."""
        return intercom_name(self.data.item.conversation_id or self.data.item.id)


def intercom_name(number: str | int | None) -> str | None:
    """Return an id as a text; 0 is nobody's."""
    return str(number) if number not in {None, 0, "0"} else None


def _instant(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds)
