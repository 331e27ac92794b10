"""One detail event of a conversation, as Genesys Cloud tells it; the fields that figures are made of, and no other."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from stream.core.cloudevents import Channel, Millis
from stream.core.windows import EPOCH

__all__ = ["MEDIA_OF_NO_CONTACT", "TRANSFERS", "DetailEvent", "channel_of"]

_GenesysId = Annotated[str, Meta(min_length=1, max_length=64)]
_EpochMs = Annotated[int, Meta(ge=1_262_304_000_000, le=4_102_444_800_000)]
"""From 2010 to 2100: seconds that were taken for milliseconds would be in 1970."""

TRANSFERS: Final = {
    "TRANSFER": "blind",
    "FORWARD_TRANSFER": "blind",
    "NO_ANSWER_TRANSFER": "blind",
    "NOT_AVAILABLE_TRANSFER": "blind",
    "DND_TRANSFER": "blind",
    "CONSULT_TRANSFER": "attended",
    "CONFERENCE_TRANSFER": "attended",
}
"""Values of `disconnectType` that say that the contact went on elsewhere, and how."""

_CHANNELS: Final[dict[str, Channel]] = {
    "VOICE": "voice",
    "CALLBACK": "voice",
    "CHAT": "chat",
    "EMAIL": "email",
    "MESSAGE": "messaging",
    "VIDEO": "video",
}
MEDIA_OF_NO_CONTACT: Final = frozenset({"UNKNOWN", "COBROWSE", "SCREENSHARE", "INTERNALMESSAGE", "SCREENMONITORING"})
"""What goes on beside a contact, or among agents."""

_CHANNELS_OF_MESSAGES: Final[dict[str, Channel]] = {
    "SMS": "sms",
    "TWITTER": "social",
    "FACEBOOK": "social",
    "INSTAGRAM": "social",
    "LINKEDIN": "social",
}


class DetailEvent(Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """What is the same in all kinds, and what some of them tell in addition."""

    event_time: _EpochMs
    conversation_id: _GenesysId
    participant_id: _GenesysId
    session_id: _GenesysId | None = None
    media_type: str | None = None
    message_type: str | None = None
    direction: str | None = None
    queue_id: _GenesysId | None = None
    user_id: _GenesysId | None = None
    disconnect_type: str | None = None
    acd_outcome: str | None = None
    answered_user_id: _GenesysId | None = None
    routing_priority: int | None = None
    conversation_external_contact_ids: list[_GenesysId] | None = None
    callback_numbers: list[Any] | None = None
    callback_scheduled_time: _EpochMs | None = None
    connected_duration_ms: Millis | None = None
    interacting_duration_ms: Millis | None = None
    held_duration_ms: Millis | None = None
    alerting_duration_ms: Millis | None = None
    wrapup_duration_ms: Millis | None = None

    @property
    def at(self) -> datetime:
        """When it happened."""
        return EPOCH + timedelta(milliseconds=self.event_time)

    @property
    def is_outbound(self) -> bool:
        """Whether we called."""
        return self.direction == "OUTBOUND"

    @property
    def is_callback(self) -> bool:
        """Whether it is about a promised call back, and not about a contact."""
        return self.media_type == "CALLBACK"

    @property
    def talked(self) -> bool:
        """Whether this participant was connected with somebody."""
        return bool(self.interacting_duration_ms or self.held_duration_ms)

    @property
    def customer(self) -> str | None:
        """The external contact, where there is just one: an opaque id."""
        known = self.conversation_external_contact_ids or []
        return known[0] if len(known) == 1 else None


def channel_of(event: DetailEvent) -> Channel | None:
    """Return the channel; None for what is no contact, such as a shared screen, or not known."""
    if event.media_type == "MESSAGE" and event.message_type in _CHANNELS_OF_MESSAGES:
        return _CHANNELS_OF_MESSAGES[event.message_type]
    return _CHANNELS.get(event.media_type or "")
