"""What a source is: a way in for events of one kind of system. Here stand its parts, and nothing of any one system.

A source can do up to three things: read a recorded file to its end, pull (follow a file, hold a connection,
poll), and take webhooks. It is described by one `Source`, which `stream.sources.registry` lists.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from msgspec import MsgspecError, Struct

from stream.core.cloudevents import Event
from stream.errors import SourceError
from stream.sources.intake import Intake

__all__ = [
    "STDIN",
    "ConnectionFile",
    "Listener",
    "PulledBatch",
    "Puller",
    "Received",
    "Reply",
    "Setup",
    "Sink",
    "Source",
    "UnreadablePosition",
    "Webhook",
    "position_beside",
    "read_position",
]

STDIN = Path("-")
"""What a person types for standard input."""


class UnreadablePosition(SourceError):
    """A saved position is none of this source, or of a version that it cannot read; the message says the way out."""


T = TypeVar("T")


def read_position(saved: bytes, decode: Callable[[bytes], T], otherwise: str) -> T:
    """Return a position that was saved, as *decode* reads it; raises UnreadablePosition, which says *otherwise*."""
    try:
        return decode(saved)
    # A damaged file may nest its brackets as deep as it likes: the decoder answers that with RecursionError.
    except (MsgspecError, ValueError, RecursionError) as failure:
        raise UnreadablePosition(otherwise) from failure


def position_beside(file: Path) -> Path:
    """Return where the position of whoever is told of a file is kept: beside it."""
    return file.with_name(file.name + ".position")


class PulledBatch(Struct, frozen=True):
    """Events, and the position to save once the broker has acknowledged all of them."""

    events: list[Event]
    position: bytes


class Sink(Protocol):
    """Where events go; `stream.sdk.producer.Producer` is one."""

    async def send_many(self, events: Iterable[Event]) -> int:
        """Return when all of them have arrived, or raise BrokerError."""
        ...


class Puller(Protocol):
    """
    Fetches what happened by itself.

    Begun with the position of a batch it goes on behind that batch; what it tells a second time, because the
    position was not saved in time, has the ids that it had. Bad input is counted, and never ends it.
    """

    def batches(self, saved: bytes | None) -> AsyncIterator[PulledBatch]:
        """Yield what happened since *saved* (None: from the begin); raises UnreadablePosition if it is none."""
        ...


@runtime_checkable
class Listener(Puller, Protocol):
    """A puller that hears what is said only once: what it has heard must arrive before the process ends."""

    def finish(self) -> bool:
        """
        Hear what has been said already, and then no more: `batches` yields it, with a last position, and ends.

        False: it hears nothing now, so there is nothing to wait for.
        """
        ...


class Received(Struct, frozen=True):
    """One request of a webhook, as it came."""

    body: bytes
    headers: Mapping[str, str]
    """By lower-case name."""
    url: str
    """As the sender called it: some sign it."""
    at: datetime
    """When it came."""

    def __repr__(self) -> str:
        """Return nothing of what it holds: it may be personal, and shows a key or a signature."""
        return f"Received({len(self.body)} bytes, {len(self.headers)} headers, {self.at:%Y-%m-%dT%H:%M:%SZ})"


class Reply(Struct, frozen=True):
    """What the sender of a request is told."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"


class Webhook(Protocol):
    """
    Turns requests into events, each of one request alone: the next may come to another gateway, or have come before.

    Nothing of an unverified request is looked at.
    """

    def verified(self, request: Received) -> bool:
        """Tell whether the request comes from who may send it; a pure function of the request and the secret."""
        ...

    def events(self, request: Received) -> Iterable[Event]:
        """Return what a verified request tells, with the same ids whenever it is sent again; bad parts are counted."""
        ...

    def reply(self, request: Received, status: int) -> Reply:  # noqa: ARG002  # for senders that want a body
        """Return the answer: 204 taken, 401 not verified, 503 to be sent again later; senders may want others."""
        return Reply(status)


class ConnectionFile(Struct, frozen=True, kw_only=True):
    """The file about a system that `contact-stream connect` writes: it becomes the option `file` of the source."""

    asks: type[Struct]
    """A field for each thing that is asked, described as options are."""
    text: Callable[[Any, str], str]
    """Returns the content, by these answers, of a system of this name; files in it stand beside it, or are absolute."""
    suffix: str = ".toml"
    logins: Mapping[str, tuple[str, ...]] = {}
    """Fields of which it has exactly one, each with those that go with it. Without a word about it the first."""
    made: tuple[str, ...] = ()
    """Fields that name the file of a key that the system is never told: it is made where there is none."""


class Setup(Struct, frozen=True, kw_only=True):
    """What `contact-stream connect` knows of a source."""

    steps: str = ""
    """What to do in the system; `{url}`, `{secret_file}` and `{name}` stand for those of the connection."""
    secret_of_system: bool = False
    """Of a webhook: the system shows the secret, so it is asked for; else one is made, for the system to be told."""
    also_asked: tuple[str, ...] = ("tenant",)
    """Options that have a default, and are asked for all the same."""
    empty_request: Callable[[Any, str, str, datetime], Received] | None = None
    """Returns, for options, a secret, an address and the time, a request that is verified and tells nothing."""
    file: ConnectionFile | None = None


class Source(Struct, frozen=True, kw_only=True):
    """One entry of the registry: its name, what it wants to be told, and what it can do."""

    name: str
    about: str
    """One sentence for the help."""
    options: type[Struct]
    """A field for each option; its `Meta(description=…)` is the help, one without a default is an argument."""
    read: Callable[[Any, Intake], Iterator[Event]] | None = None
    """Reads a recorded file, the `file` of its options, to its end."""
    pull: Callable[[Any, Intake], Puller] | None = None
    webhook: Callable[[Any, Intake], Webhook] | None = None
    position: Callable[[Any], Path] | None = None
    """Where a puller's position is kept if nobody says so."""
    setup: Setup = Setup()
