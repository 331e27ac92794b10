"""Zendesk's words, and what they mean: channels, statuses and priorities of tickets."""

from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import Meta

from stream.core.cloudevents import Channel
from stream.families.cases.payloads import Priority, Status

__all__ = [
    "TICKET_PRIORITIES",
    "TICKET_STATUSES",
    "UNTOLD_STATUSES",
    "ZENDESK_CHANNELS",
    "ZendeskId",
    "somebody",
]

_BY_CHANNEL: Final[Mapping[Channel, tuple[str, ...]]] = {
    "email": ("email", "mail"),
    "voice": (
        *("voice", "voicemail", "phone", "phone_call_inbound", "phone_call_outbound"),
        *("phone_call_incoming", "phone_call_outgoing", "api_phone_call_inbound", "api_phone_call_outbound"),
        "api_voicemail",
    ),
    "chat": (
        *("chat", "chat_transcript", "chat_offline_message", "native_messaging", "messaging", "sdk", "web_widget_chat"),
        "sunshine_conversations_api",
    ),
    "sms": (
        *("sms", "text_message", "connect_sms", "mailgun_sms", "messagebird_sms", "twilio_sms"),
        "sunshine_conversations_twilio_sms",
    ),
    "messaging": (
        *("whatsapp", "telegram", "line", "wechat", "viber", "kakaotalk", "google_rcs", "google_business_messages"),
        *("apple_business_chat", "business_messaging_slack_connect", "facebook_message", "facebook_messenger"),
        *("messenger", "sunshine_conversations_facebook_messenger", "instagram_dm", "twitter_dm", "x_dm"),
        "sunshine_conversations_twitter_dm",
    ),
    "social": (
        *("twitter", "twitter_favorite", "twitter_like", "x_corp", "facebook", "facebook_post", "any_channel"),
        *("any_channel_comment", "instagram", "instagram_comment", "youtube", "google_play", "reddit"),
    ),
}

ZENDESK_CHANNELS: Final[Mapping[str, Channel]] = {via: channel for channel, each in _BY_CHANNEL.items() for via in each}
"""Of each way in that is a channel of its own. Forms, the API and rules are none."""

TICKET_STATUSES: Final[Mapping[str, Status]] = {"NEW": "new", "OPEN": "open", "PENDING": "pending", "HOLD": "on_hold"}
"""Of a ticket that is neither solved nor gone."""

UNTOLD_STATUSES: Final = frozenset({"ARCHIVED", "SCRUBBED"})
"""What becomes of a ticket long after it was closed, or deleted: nothing that a figure is made of."""

TICKET_PRIORITIES: Final[Mapping[str, Priority]] = {
    "LOW": "low",
    "NORMAL": "normal",
    "HIGH": "high",
    "URGENT": "urgent",
}

ZendeskId = Annotated[str, Meta(max_length=40)] | Annotated[int, Meta(ge=-1, le=2**63 - 1)]
"""A number, or a text of digits: Zendesk writes both."""

_NOBODY: Final = frozenset({"", "0", "-1"})


def somebody(number: ZendeskId | None) -> str | None:
    """Return an id as a text; None for that of nobody, or of Zendesk itself."""
    return None if number is None or str(number) in _NOBODY else str(number)
