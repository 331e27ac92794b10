"""What can go wrong, split by what the reader can do about it.

ContactStreamError
├── SettingsError     fix the setting, policy file or option that the message names
├── SourceError       fix the file or line that the message names
├── InvalidEvent      one bad event: set aside as a dead letter, the stream goes on
│   └── FutureEvent   its time is too far ahead of our clock: set the clock of its source
├── BrokerError       the broker cannot be reached or refuses: wait, or look at the broker
│   ├── BrokerAway    it does not answer: trying again may be enough
│   ├── BrokerRefused it answers, and refuses certificate, login or right: do what the message says
│   └── EventsRefused it answers, and will not have certain events: each has its reason
└── TopicMismatch     topics on the broker differ from what is declared: the message says what to do
"""

from collections.abc import Mapping
from datetime import datetime
from traceback import format_tb
from typing import Literal, get_args

__all__ = [
    "INVALID_REASONS",
    "REFUSAL_REASONS",
    "BrokerAway",
    "BrokerError",
    "BrokerRefused",
    "ContactStreamError",
    "EventRefusalReason",
    "EventsRefused",
    "FutureEvent",
    "InvalidEvent",
    "InvalidReason",
    "SettingsError",
    "SourceError",
    "TopicMismatch",
    "defect_in_places",
]

InvalidReason = Literal[
    "empty",  # no value at all
    "too_large",  # more bytes than an event may have
    "not_utf8",
    "not_json",
    "not_cloudevent",  # JSON, but without the required CloudEvents attributes
    "unknown_type",  # a CloudEvent that is none of ours
    "wrong_topic",  # one of ours, on a topic where it does not belong
    "missing_field",
    "invalid_field",
    "absurd_time",  # before 1970-01-02 or after the year 2100: a clock that was never set, or another unit
    "future",  # more than five minutes ahead of the clock
    "processing_failed",  # a valid event that the fold could not take: a defect of ours
]

INVALID_REASONS: tuple[InvalidReason, ...] = get_args(InvalidReason)
"""Every reason, in the order of the checks."""


EventRefusalReason = Literal[
    "too_large",  # for its topic, whenever it is sent
    "no_topic",  # there is none of this name, until somebody creates it
    "no_right",  # to write to this topic, until somebody grants it
]
"""Why a broker will not have an event."""

REFUSAL_REASONS: tuple[EventRefusalReason, ...] = get_args(EventRefusalReason)


class ContactStreamError(Exception):
    """Root of all errors this package raises on purpose."""


class SettingsError(ContactStreamError):
    """A setting, option or policy is wrong; the message names it and what to do."""


class SourceError(ContactStreamError):
    """An input file cannot be used; the message names file and line."""


class BrokerError(ContactStreamError):
    """The broker cannot be reached, or does not do what it must."""


class BrokerAway(BrokerError):
    """No broker answers, or not yet as it will; it may be a matter of time."""


class BrokerRefused(BrokerError):
    """A broker answers, and refuses who comes, or what is asked for; the message names the setting or right."""


class EventsRefused(BrokerError):
    """
    A broker answers, and will not have some of the events; the others may have arrived.

    `reasons` has those that it refused, by their place among those that were to be sent.
    """

    def __init__(self, detail: str, reasons: Mapping[int, EventRefusalReason]) -> None:
        super().__init__(detail)
        self.reasons = reasons


class TopicMismatch(ContactStreamError):
    """A topic exists with other settings than those declared."""


class InvalidEvent(ContactStreamError):
    """
    One record that is not a usable event.

    `reason` is a stable code, `field` the path of the field at fault (None: the whole record).
    The message never contains the value at fault: it may be personal data.
    """

    def __init__(self, reason: InvalidReason, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.reason: InvalidReason = reason
        self.detail = detail
        self.field = field


class FutureEvent(InvalidEvent):
    """An event too far ahead of our clock, with what tells how wrong the clock of its source is."""

    def __init__(self, detail: str, *, source: str, time: datetime) -> None:
        super().__init__("future", detail, field="time")
        self.source = source
        self.time = time


def defect_in_places(failure: BaseException) -> str:
    """Return what a defect is and where, and not what it says: that may quote what was read."""
    told = f"a defect, by {type(failure).__name__}, in\n{''.join(format_tb(failure.__traceback__))}"
    of_several = failure.exceptions if isinstance(failure, BaseExceptionGroup) else ()
    return "".join([told, *map(defect_in_places, of_several)])
