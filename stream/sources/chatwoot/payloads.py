"""What Chatwoot's requests hold: only what figures are made of."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import Instant, Name
from stream.core.windows import EPOCH

__all__ = [
    "AttributeChange",
    "BegunConversation",
    "ChatwootConversation",
    "ChatwootMessage",
    "RatedMessage",
]

_INCOMING: Final = ("incoming", 0)
_OUTGOING: Final = ("outgoing", 1)
_SENT: Final = (*_OUTGOING, "template", 3)
_ACTIVITY: Final = ("activity", 2)
"""Types of messages: as a name, or within a conversation as a number."""

_Number = Annotated[int, Meta(ge=0, le=2**62)]
_Seconds = Annotated[float, Meta(ge=0, lt=4_133_980_800)]
"""Since 1970."""


class _Entity(Struct):
    """A contact, user or bot."""

    id: _Number | None = None
    type: str | None = None

    @property
    def agent(self) -> str | None:
        return str(self.id) if self.type == "user" and self.id is not None else None


class _Team(Struct):
    name: Name


class _Meta(Struct, frozen=True):
    sender: _Entity | None = None
    assignee: _Entity | None = None
    team: _Team | None = None


class AttributeChange(Struct):
    """What an attribute was, and what it has become."""

    current_value: Any = None
    previous_value: Any = None


class _Written(Struct):
    """The newest message, in a conversation."""

    message_type: int | str | None = None
    sender: _Entity | None = None


class ChatwootConversation(Struct):
    """A conversation as it is when the request is made, and what has changed where that is told."""

    id: _Number
    inbox_id: _Number
    status: str
    updated_at: _Seconds | None = None
    channel: str | None = None
    priority: str | None = None
    meta: _Meta = _Meta()
    changed_attributes: list[dict[str, AttributeChange]] | None = None

    @property
    def customer(self) -> str | None:
        """Whose it is."""
        sender = self.meta.sender or _Entity()
        return None if sender.id is None else str(sender.id)

    @property
    def agent(self) -> str | None:
        """Which user is to solve it; a bot is none."""
        return (self.meta.assignee or _Entity()).agent

    @property
    def team(self) -> str | None:
        """What the team is called that is to solve it."""
        return self.meta.team.name if self.meta.team else None

    @property
    def changes(self) -> dict[str, AttributeChange]:
        """What has changed, by the attribute."""
        return {name: change for changed in self.changed_attributes or [] for name, change in changed.items()}

    def changed_at(self, received: datetime) -> datetime:
        """Return when it changed last; of a Chatwoot that does not tell that yet, when the request came."""
        told = self.changes.get("updated_at")
        if told is not None and isinstance(told.current_value, str):
            return msgspec.convert(told.current_value, Instant)
        return received if self.updated_at is None else EPOCH + timedelta(seconds=self.updated_at)


class BegunConversation(ChatwootConversation, kw_only=True):
    """A conversation that is new."""

    created_at: _Seconds
    messages: list[_Written] = []
    additional_attributes: dict[str, Any] | None = None

    @property
    def began_at(self) -> datetime:
        """When it began."""
        return EPOCH + timedelta(seconds=self.created_at)

    @property
    def opened_by(self) -> Literal["customer", "agent", "system"]:
        """Who wrote first, as far as that is told."""
        newest = self.messages[-1] if self.messages else _Written()
        if newest.message_type in _OUTGOING and (newest.sender or _Entity()).type == "user":
            return "agent"
        # Of widgets and mail it is told when the customer began. Else the first message says who waits.
        began = "initiated_at" in (self.additional_attributes or {})
        return "customer" if began or newest.message_type in _INCOMING else "system"


class _OfMail(Struct):
    auto_reply: bool | None = None


class _Attributes(Struct):
    """Of a message: what made it, where that was no person at a desk."""

    automation_rule_id: Any = None
    external_echo: Any = None
    email: _OfMail | str | None = None


class _Campaign(Struct):
    campaign_id: Any = None


class ChatwootMessage(Struct):
    """A message, a private note, or a question how satisfied somebody is."""

    id: _Number
    created_at: Instant
    message_type: int | str
    conversation: ChatwootConversation
    content_type: str | None = None
    private: bool = False
    sender: _Entity | None = None
    content_attributes: _Attributes | None = None
    additional_attributes: _Campaign | None = None

    @property
    def way(self) -> Literal["received", "sent", "neither"] | None:
        """Which way it went; None: it is of no known type."""
        if self.message_type in _INCOMING:
            return "received"
        if self.message_type in _SENT:
            return "sent"
        return "neither" if self.message_type in _ACTIVITY else None

    @property
    def is_survey(self) -> bool:
        """Whether it asks for a rating."""
        return self.content_type == "input_csat"

    @property
    def is_auto_reply(self) -> bool:
        """Whether it is an e-mail that says that a machine wrote it."""
        mail = (self.content_attributes or _Attributes()).email
        return isinstance(mail, _OfMail) and bool(mail.auto_reply)

    @property
    def author(self) -> Literal["agent", "bot", "rule"]:
        """Who wrote it, of whatever was sent."""
        how = self.content_attributes or _Attributes()
        if how.automation_rule_id is not None or (self.additional_attributes or _Campaign()).campaign_id is not None:
            return "rule"
        by = None if self.sender is None else self.sender.type
        # What was written on the phone itself, beside Chatwoot, is known to be no machine's.
        if by == "user" or how.external_echo:
            return "agent"
        return "rule" if by is None else "bot"

    @property
    def agent(self) -> str | None:
        """Which user wrote it, if one did."""
        return self.sender.agent if self.sender and self.author == "agent" else None


class _Rating(Struct):
    rating: Annotated[int, Meta(ge=1, le=5)]


class _Submitted(Struct):
    csat_survey_response: _Rating | None = None


class _SurveyAttributes(Struct):
    submitted_values: _Submitted | None = None


class RatedMessage(Struct):
    """A question how satisfied somebody is, with the answer if there is one."""

    content_attributes: _SurveyAttributes | None = None

    @property
    def rating(self) -> int | None:
        """From 1 to 5; None: nobody has answered."""
        answer = (
            (self.content_attributes or _SurveyAttributes()).submitted_values or _Submitted()
        ).csat_survey_response
        return None if answer is None else answer.rating
