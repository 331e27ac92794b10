"""Events of cases and their messages, for help desks that produce their own.

events = CaseEvents(EventFactory(source="/desk", tenant="acme"))
await producer.send(events.opened("case-9", queue="claims", channel="email"))
"""

from datetime import datetime
from typing import Literal, TypedDict, Unpack

from stream.core.cloudevents import Channel
from stream.families.cases import events as e
from stream.families.cases import payloads
from stream.families.cases.payloads import Priority, Status
from stream.sdk.factory import EventFactory, check_keywords

__all__ = ["CaseEvents", "WhoFields"]


class WhoFields(TypedDict, total=False):
    """Who did it, and whose case it is: what may be said with each event of a case."""

    agent: str | None
    customer: str | None
    """An opaque id, never a name or address."""


def _known(who: WhoFields) -> WhoFields:
    check_keywords(who, WhoFields)
    return who


class CaseEvents:
    """
    Makes events of cases for the source and tenant of an `EventFactory`.

    Each method has the id of the case first, and `at`: when it happened, if that was not now. Values are checked when
    the event is sent; a keyword that is none raises InvalidEvent at once.
    """

    def __init__(self, factory: EventFactory) -> None:
        self._envelope = factory.envelope

    def opened(
        self,
        case: str,
        queue: str,
        *,
        channel: Channel = "email",
        priority: Priority = "normal",
        opened_by: Literal["customer", "agent", "system"] = "customer",
        split_from: str | None = None,
        topic: str | None = None,
        at: datetime | None = None,
        **who: Unpack[WhoFields],
    ) -> e.CaseOpened:
        """A customer asked for something, or an agent wrote first; `split_from` is the case that this was part of."""
        data = payloads.OpenedData(
            queue=queue,
            channel=channel,
            priority=priority,
            opened_by=opened_by,
            split_from=split_from,
            topic=topic,
            **_known(who),
        )
        return e.CaseOpened(**self._envelope(case, at), data=data)

    def assigned(
        self, case: str, queue: str, *, at: datetime | None = None, **who: Unpack[WhoFields]
    ) -> e.CaseAssigned:
        """A queue, and `agent` of it if one is named, is to solve the case from now on."""
        return e.CaseAssigned(**self._envelope(case, at), data=payloads.AssignedData(queue=queue, **_known(who)))

    def status_changed(
        self,
        case: str,
        status: Status | None = None,
        *,
        priority: Priority | None = None,
        at: datetime | None = None,
        **who: Unpack[WhoFields],
    ) -> e.CaseStatusChanged:
        """The case has another status, or another priority."""
        data = payloads.StatusData(status=status, priority=priority, **_known(who))
        return e.CaseStatusChanged(**self._envelope(case, at), data=data)

    def resolved(
        self,
        case: str,
        *,
        queue: str | None = None,
        channel: Channel | None = None,
        topic: str | None = None,
        at: datetime | None = None,
        **who: Unpack[WhoFields],
    ) -> e.CaseResolved:
        """The case is solved, as far as the agent knows; `channel` is the one through which it came in."""
        data = payloads.ResolvedData(queue=queue, channel=channel, topic=topic, **_known(who))
        return e.CaseResolved(**self._envelope(case, at), data=data)

    def reopened(self, case: str, *, at: datetime | None = None, **who: Unpack[WhoFields]) -> e.CaseReopened:
        """The case was not solved after all; or, of one that was deleted: it is a case."""
        return e.CaseReopened(**self._envelope(case, at), data=payloads.CaseData(**_known(who)))

    def closed(self, case: str, *, at: datetime | None = None, **who: Unpack[WhoFields]) -> e.CaseClosed:
        """Nothing can happen to the case any more."""
        return e.CaseClosed(**self._envelope(case, at), data=payloads.CaseData(**_known(who)))

    def merged(self, case: str, into: str, *, at: datetime | None = None, **who: Unpack[WhoFields]) -> e.CaseMerged:
        """The case was another one told twice: it goes on in that."""
        return e.CaseMerged(**self._envelope(case, at), data=payloads.MergedData(into=into, **_known(who)))

    def deleted(
        self,
        case: str,
        reason: Literal["spam", "deleted"] = "deleted",
        *,
        at: datetime | None = None,
        **who: Unpack[WhoFields],
    ) -> e.CaseDeleted:
        """The case never was one."""
        return e.CaseDeleted(**self._envelope(case, at), data=payloads.DeletedData(reason=reason, **_known(who)))

    def message_received(
        self,
        case: str,
        *,
        message: str | None = None,
        automatic: bool = False,
        at: datetime | None = None,
        **who: Unpack[WhoFields],
    ) -> e.MessageReceived:
        """The customer wrote; `automatic` where it was a machine, whose message asks for no answer."""
        data = payloads.ReceivedData(message=message, automatic=automatic, **_known(who))
        return e.MessageReceived(**self._envelope(case, at), data=data)

    def message_sent(
        self,
        case: str,
        *,
        message: str | None = None,
        author: Literal["agent", "bot"] = "agent",
        public: bool = True,
        automatic: bool = False,
        at: datetime | None = None,
        **who: Unpack[WhoFields],
    ) -> e.MessageSent:
        """Somebody on our side wrote: to the customer, or a note (not `public`); `automatic` where a rule did."""
        data = payloads.SentData(message=message, author=author, public=public, automatic=automatic, **_known(who))
        return e.MessageSent(**self._envelope(case, at), data=data)
