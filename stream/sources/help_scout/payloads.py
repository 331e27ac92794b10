"""What Help Scout's requests hold, in version 2: only what figures are made of."""

from itertools import dropwhile, takewhile
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from stream.core.cloudevents import Instant

__all__ = [
    "HelpScoutConversation",
    "HelpScoutNumber",
    "HelpScoutPerson",
    "HelpScoutRating",
    "HelpScoutThread",
]

_WORKFLOWS: Final = frozenset({"workflow", "workflows"})
"""Sources of what nobody wrote to anybody in particular."""
_SENT: Final = frozenset({"published", "bounced"})
"""What drafts, hidden threads and those that are held back are not."""

_Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Word = Annotated[str, Meta(max_length=64)]


class HelpScoutPerson(Struct):
    """A customer, user or team."""

    id: _Number | None = None
    type: _Word | None = None

    @property
    def name(self) -> str | None:
        """Its number, as a text; 0 is nobody's."""
        return str(self.id) if self.id else None

    @property
    def is_user(self) -> bool:
        """Whether it is a person at the desk: a team, or a machine that writes as a user would, is none."""
        return self.type in {"user", None}

    @property
    def agent(self) -> str | None:
        """Its number, if it is a person at the desk."""
        return self.name if self.is_user else None


class _Origin(Struct):
    """How something came in, and from whom."""

    type: _Word | None = None
    via: _Word | None = None


class _Action(Struct, rename="camel"):
    type: _Word | None = None
    associated_entities: dict[str, Any] | None = None


class HelpScoutThread(Struct, rename="camel"):
    """A message, a note, or a line that says what was done."""

    id: _Number
    type: _Word
    created_at: Instant
    state: _Word = "published"
    author: HelpScoutPerson | None = None
    created_by: HelpScoutPerson | None = None
    source: _Origin | None = None
    action: _Action | None = None

    @property
    def by(self) -> HelpScoutPerson:
        """Who wrote it."""
        return self.author or self.created_by or HelpScoutPerson()

    @property
    def is_from_customer(self) -> bool:
        """Whether it asks, and does not answer."""
        return self.type == "customer" or self.by.type == "customer"

    @property
    def is_message(self) -> bool:
        """Whether somebody wrote it who wanted it to be read."""
        return self.type not in {"lineitem", "forwardparent", "forwardchild"} and self.state in _SENT

    @property
    def is_automatic(self) -> bool:
        """Whether a workflow wrote it."""
        return (self.source or _Origin()).type in _WORKFLOWS

    @property
    def merged(self) -> int | None:
        """Which conversation is gone, if it tells that one was merged into this."""
        action = self.action or _Action()
        gone = (action.associated_entities or {}).get("originalConversation")
        return gone if action.type == "merged" and isinstance(gone, int) else None


class _Embedded(Struct):
    threads: list[HelpScoutThread] = []


class HelpScoutConversation(Struct, rename="camel"):
    """A conversation as it stands by then."""

    id: _Number
    status: _Word
    mailbox_id: _Number
    created_at: Instant
    type: _Word | None = None
    modified_at: Instant | None = None
    user_updated_at: Instant | None = None
    closed_at: Instant | None = None
    source: _Origin | None = None
    created_by: HelpScoutPerson | None = None
    primary_customer: HelpScoutPerson | None = None
    assignee: HelpScoutPerson | None = None
    # The API has the number of threads here, and the threads themselves below.
    told_threads: list[HelpScoutThread] | int = field(default_factory=list, name="threads")
    embedded: _Embedded | None = field(default=None, name="_embedded")

    @property
    def threads(self) -> list[HelpScoutThread]:
        """The threads, the oldest first."""
        told = self.told_threads if isinstance(self.told_threads, list) else []
        told = told or (self.embedded or _Embedded()).threads
        return sorted(told, key=lambda thread: (thread.created_at, thread.id))

    @property
    def at(self) -> Instant:
        """When it became what it is."""
        known = (self.modified_at, self.user_updated_at, *(thread.created_at for thread in self.threads))
        return max((at for at in known if at is not None), default=self.created_at)

    @property
    def words(self) -> tuple[str | None, str | None]:
        """What it came in by, the most exact word first."""
        return (self.source or _Origin()).type, self.type

    @property
    def opened_by(self) -> Literal["customer", "agent", "system"]:
        """Who began it."""
        by = self.created_by or HelpScoutPerson()
        if by.type == "customer" or (self.source or _Origin()).via == "customer":
            return "customer"
        return "agent" if by.is_user else "system"

    @property
    def opener(self) -> str | None:
        """Which person at the desk began it, if one did."""
        return self.created_by.agent if self.created_by and self.opened_by == "agent" else None

    @property
    def customer(self) -> str | None:
        """Whose it is."""
        return (self.primary_customer or HelpScoutPerson()).name

    @property
    def agent(self) -> str | None:
        """Who is to solve it."""
        return (self.assignee or HelpScoutPerson()).agent

    def latest(self, *, from_customer: bool) -> list[HelpScoutThread]:
        """Return the last messages of a side, those that the other side has not answered in between."""
        said = [thread for thread in reversed(self.threads) if thread.is_message and thread.type != "note"]
        own = dropwhile(lambda thread: thread.is_from_customer != from_customer, said)
        return [*takewhile(lambda thread: thread.is_from_customer == from_customer, own)][::-1]


class HelpScoutNumber(Struct):
    """Something of which nothing but its number is told."""

    id: _Number


class HelpScoutRating(Struct, rename="camel"):
    """How satisfied a customer is."""

    id: _Number
    rating: _Word
    created_at: Instant
    mailbox: HelpScoutNumber | None = None
    mailbox_id: _Number | None = None
    modified_at: Instant | None = None
    customer: HelpScoutPerson | None = None
    user: HelpScoutPerson | None = None

    @property
    def at(self) -> Instant:
        """When it was given, or changed last."""
        return self.modified_at or self.created_at

    @property
    def inbox(self) -> int | None:
        """Where the conversation is."""
        return self.mailbox_id if self.mailbox is None else self.mailbox.id

    @property
    def rated_by(self) -> str | None:
        """Which customer gave it."""
        return (self.customer or HelpScoutPerson()).name

    @property
    def agent(self) -> str | None:
        """Whose answer it is about."""
        return (self.user or HelpScoutPerson()).agent
