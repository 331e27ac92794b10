"""What each kind of event of a case says: the `data` of the CloudEvents, and the types of its fields."""

from typing import Literal

from msgspec import Struct

from stream.core.cloudevents import Channel, Id, Name

__all__ = [
    "AssignedData",
    "CaseData",
    "DeletedData",
    "MergedData",
    "OpenedData",
    "Priority",
    "ReceivedData",
    "ResolvedData",
    "SentData",
    "Status",
    "StatusData",
]

Status = Literal["new", "open", "pending", "on_hold"]
"""Of a case that is not resolved. Pending: the customer is to answer; on hold: somebody else is."""

Priority = Literal["low", "normal", "high", "urgent"]


class CaseData(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Who did it, and whose case it is, where that is known."""

    agent: Id | None = None
    customer: Id | None = None
    """An opaque id, never a name or address; it is the same in contacts, cases and surveys."""


class OpenedData(CaseData, frozen=True, kw_only=True):
    """How the case came in."""

    queue: Name
    channel: Channel = "email"
    priority: Priority = "normal"
    opened_by: Literal["customer", "agent", "system"] = "customer"
    """Where an agent opened it, that agent's own first message is no response."""
    split_from: Id | None = None
    """The case that this one was part of."""
    topic: Name | None = None
    """What it is about, where somebody knows that."""


class AssignedData(CaseData, frozen=True, kw_only=True):
    """Who is to solve it."""

    queue: Name


class StatusData(CaseData, frozen=True, kw_only=True):
    """What has changed."""

    status: Status | None = None
    priority: Priority | None = None


class ResolvedData(CaseData, frozen=True, kw_only=True):
    """Where it was solved, and what it was about: for what follows from it, such as an invitation to a survey."""

    queue: Name | None = None
    channel: Channel | None = None
    """Through which the case came in."""
    topic: Name | None = None
    """What it was about, where somebody knows that."""


class MergedData(CaseData, frozen=True, kw_only=True):
    """Where it goes on."""

    into: Id


class DeletedData(CaseData, frozen=True, kw_only=True):
    """Why it was none."""

    reason: Literal["spam", "deleted"] = "deleted"


class ReceivedData(CaseData, frozen=True, kw_only=True):
    """A message of the customer."""

    message: Id | None = None
    """Tells messages of one instant apart."""
    automatic: bool = False
    """Sent by a machine: out of office, a bounce, a list (RFC 3834, `Auto-Submitted`). It asks for no answer."""


class SentData(CaseData, frozen=True, kw_only=True):
    """A message of ours."""

    message: Id | None = None
    author: Literal["agent", "bot"] = "agent"
    public: bool = True
    """Whether the customer can read it: a note is no answer."""
    automatic: bool = False
    """Sent by a rule, such as a receipt: no answer either."""
