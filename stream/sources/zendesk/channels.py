"""By which channel a ticket came in, of what Zendesk calls `via`."""

from collections.abc import Mapping
from typing import Final

from stream.core.cloudevents import Channel

__all__ = ["ZENDESK_CHANNELS"]

_BY_CHANNEL: Final[Mapping[Channel, tuple[str, ...]]] = {
    "email": ("email", "mail"),
    "voice": ("voice", "voicemail", "phone", "phone_call_inbound", "phone_call_outbound"),
    "chat": (
        *("chat", "chat_transcript", "chat_offline_message", "native_messaging", "messaging", "sdk", "web_widget_chat"),
        "sunshine_conversations_api",
    ),
    "sms": ("sms", "text_message", "mailgun_sms", "messagebird_sms", "sunshine_conversations_twilio_sms"),
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
