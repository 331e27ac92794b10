"""What words of a workspace mean here: names of channels and activities, and reasons for which tasks are canceled."""

from collections.abc import Mapping
from typing import Final, Literal, TypeVar

from msgspec import Struct

from stream.core.cloudevents import Channel
from stream.families.contacts.payloads import DequeueReason

__all__ = ["TwilioVocabulary", "WaitEnd", "WorkerPresence"]

WorkerPresence = Literal["available", "not_ready", "offline"]

WaitEnd = Literal["abandoned"] | DequeueReason
"""How the wait of a canceled task ended."""

_CHANNELS: Final[Mapping[str, Channel]] = {
    "voice": "voice",
    "default": "task",
    "chat": "chat",
    "web": "chat",
    "sms": "sms",
    "whatsapp": "messaging",
    "messenger": "messaging",
    "messaging": "messaging",
    "email": "email",
    "video": "video",
}

_ACTIVITIES: Final[Mapping[str, WorkerPresence]] = {
    "available": "available",
    "idle": "available",
    "offline": "offline",
    "logged out": "offline",
}

_ENDS: Final[Mapping[str, WaitEnd]] = {
    "hangup": "abandoned",
    "leave": "key",
    "redirected": "moved",
    "queue-full": "overflow",
    "system-error": "system",
}
"""What `<Enqueue>` of Twilio's own calls it."""

_ENDS_BY_WORD: Final[Mapping[str, WaitEnd]] = {
    "callback": "callback_requested",
    "call back": "callback_requested",
    "voicemail": "voicemail",
    "ttl": "timeout",
    "timeout": "timeout",
    "timed out": "timeout",
    "hang up": "abandoned",
    "hung up": "abandoned",
    "abandon": "abandoned",
}
"""Reasons are written by whoever cancels the task: one that has such a word means that."""


V = TypeVar("V")


class TwilioVocabulary(Struct, frozen=True, kw_only=True):
    """The words of one workspace; what a person has said of one wins."""

    channels: Mapping[str, Channel]
    activities: Mapping[str, WorkerPresence]
    canceled_reasons: Mapping[str, WaitEnd]

    def channel_of(self, unique_name: str) -> Channel:
        """Return the channel of a task channel; one that is not known is of tasks."""
        return _lookup(unique_name, self.channels, _CHANNELS) or "task"

    def presence_of(self, activity: str, available: str = "") -> WorkerPresence:
        """Return what an activity means, whose name is all that Twilio tells, or whether it is *available*, too."""
        known = _lookup(activity, self.activities, _ACTIVITIES)
        return known or ("available" if available.casefold() == "true" else "not_ready")

    def end_of(self, reason: str) -> WaitEnd:
        """Return how the wait of a canceled task ended, by the *reason*: given up only if that says so."""
        known = _lookup(reason, self.canceled_reasons, _ENDS)
        if known is not None:
            return known
        told = reason.casefold()
        return next((end for word, end in _ENDS_BY_WORD.items() if word in told), "system")


def _lookup(word: str, *tables: Mapping[str, V]) -> V | None:
    told = word.strip().casefold()
    for table in tables:
        for name, meant in table.items():
            if name.casefold() == told:
                return meant
    return None
