"""What a person says of a help desk, whichever it is, and what makes its events."""

from collections.abc import Callable, Mapping
from typing import Protocol, Self

from msgspec import Struct

from stream.core.cloudevents import Channel
from stream.sdk.cases import CaseEvents
from stream.sdk.factory import EventFactory
from stream.sdk.surveys import SurveyEvents

__all__ = ["DeskOptions", "DeskSettings"]


class DeskOptions(Protocol):
    """What the options of each help desk have."""

    @property
    def source_name(self) -> str: ...
    @property
    def tenant(self) -> str: ...
    @property
    def default_queue(self) -> str: ...
    @property
    def other_channel(self) -> Channel: ...


class DeskSettings(Struct, frozen=True, kw_only=True):
    """
    One help desk: what it is called, and what its words mean.

    An event is called as what happened, never as the request that told it: what is told again has the id that it had.
    """

    source_name: str
    tenant: str
    default_queue: str
    """Of whatever is in no queue."""
    queue_name: Callable[[str], str]
    """What a queue is called, by its id."""
    channels: Mapping[str, Channel]
    """By the desk's own words for them."""
    other_channel: Channel
    """Of whatever came in by none of these."""

    @classmethod
    def of(cls, options: DeskOptions, channels: Mapping[str, Channel], queue_name: Callable[[str], str]) -> Self:
        """Return the settings of a help desk of which a person said so much."""
        return cls(
            source_name=options.source_name,
            tenant=options.tenant,
            default_queue=options.default_queue,
            queue_name=queue_name,
            channels=channels,
            other_channel=options.other_channel,
        )

    def factory(self, name: str) -> EventFactory:
        """Return what makes the event that is called *name*."""
        return EventFactory(self.source_name, tenant=self.tenant, new_id=lambda: name)

    def cases(self, name: str) -> CaseEvents:
        """Return what makes the event of a case that is called *name*."""
        return CaseEvents(self.factory(name))

    def surveys(self, name: str) -> SurveyEvents:
        """Return what makes the event of a survey that is called *name*."""
        return SurveyEvents(self.factory(name))

    def case(self, number: str | int) -> str:
        """Return what a case or survey is called: another help desk may give the same number."""
        return f"{self.source_name}/{number}"

    def customer(self, number: str | int | None) -> str | None:
        """Return what a customer is called whom this desk knows by a number: another desk may give the same."""
        return f"{self.source_name}/{number}" if number else None

    def queue(self, queue: str | None) -> str:
        """Return what the queue with this id is called."""
        return self.queue_name(queue) if queue else self.default_queue

    def channel(self, *words: str | None) -> Channel:
        """Return the channel that the first of the words is that is one."""
        return next((self.channels[word] for word in words if word and word in self.channels), self.other_channel)
