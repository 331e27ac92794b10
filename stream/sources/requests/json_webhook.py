"""Webhooks whose requests hold documents in JSON, each of a kind that its system names: most systems need no more."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import MsgspecError, Struct

from stream.core.cloudevents import Event
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location
from stream.sources.requests.parts import UnusablePart, told_by_each
from stream.sources.source import Received, Webhook

__all__ = ["JsonDocument", "JsonWebhook", "KindOf", "TellJson", "json_documents", "kind_at", "objects_in"]

_MOST_DOCUMENTS: Final = 10_000
"""Of one request: no system sends as many, and who does means to keep us busy."""


class JsonDocument(Struct, frozen=True, kw_only=True):
    """One document of a request."""

    kind: str
    """What happened, as the system names it: in the body, or in a header."""
    content: dict[str, Any]
    """As JSON has it; `msgspec.convert` takes what is needed, and names the field that is not as it should be."""
    at: datetime
    """When the request came, for documents that tell no time of their own."""


TellJson = Callable[[JsonDocument], Iterable[Event]]
"""Returns the events of a document, or none if it is of no use; raises UnusablePart, or msgspec's errors."""


def objects_in(body: bytes) -> Iterator[dict[str, Any] | UnusablePart]:
    """Yield each JSON object of a body, which is one or a list of them; what is none as an UnusablePart."""
    try:
        content = msgspec.json.decode(body)
    # A body may nest its brackets as deep as it likes: the decoder answers that with RecursionError.
    except (MsgspecError, ValueError, RecursionError):
        yield UnusablePart("not_json", "the body is not JSON")
        return
    parts = content if isinstance(content, list) else [content]
    for part in parts[:_MOST_DOCUMENTS]:
        yield part if isinstance(part, dict) else UnusablePart("not_an_object", "the JSON is no object")
    if len(parts) > _MOST_DOCUMENTS:
        yield UnusablePart("too_many", f"one request has more than {_MOST_DOCUMENTS} documents")


KindOf = Callable[[dict[str, Any]], str]
"""Finds the kind of a document; may raise UnusablePart."""


def kind_at(field: str) -> KindOf:
    """Return what finds the kind in a field of a document."""

    def found(content: dict[str, Any]) -> str:
        kind = content.get(field)
        if not isinstance(kind, str):
            raise UnusablePart("unknown_document", f"it does not say what happened - at `$.{field}`")
        return kind

    return found


def json_documents(request: Received, kind_of: KindOf) -> Iterator[JsonDocument | UnusablePart]:
    """Yield each object of a request with its kind."""
    for part in objects_in(request.body):
        if isinstance(part, UnusablePart):
            yield part
            continue
        try:
            yield JsonDocument(kind=kind_of(part), content=part, at=request.at)
        except UnusablePart as problem:
            yield problem


class JsonWebhook(Webhook):
    """
    Tells each document by what *tell* has for its kind; kinds *of_no_use* are known, and ignored.

    A kind of neither sort is counted, and set aside: what it would have told is missing from the board.
    """

    def __init__(
        self,
        intake: Intake,
        *,
        verify: Callable[[Received], bool],
        documents: Callable[[Received], Iterable[JsonDocument | UnusablePart]],
        tell: Mapping[str, TellJson],
        of_no_use: Container[str] = (),
    ) -> None:
        self._intake = intake
        self._verify = verify
        self._documents = documents
        self._tell = tell
        self._of_no_use = of_no_use

    def verified(self, request: Received) -> bool:
        """Tell whether the request comes from who may send it."""
        return self._verify(request)

    def events(self, request: Received) -> Iterator[Event]:
        """Return what the documents of a request tell; each of no use is counted, and changes nothing else."""
        return told_by_each(self._documents(request), self._told, request, self._intake)

    def _told(self, document: JsonDocument, place: Location) -> list[Event]:
        tell = self._tell.get(document.kind)
        events = [] if tell is None else [*tell(document)]
        if events:
            self._intake.used[document.kind] += 1
        elif tell is not None or document.kind in self._of_no_use:
            self._intake.ignore(document.kind)
        else:
            bad = BadLine(place, "unknown_kind", "a document of a kind that is not known")
            self._intake.wonder(document.kind, bad)
        return events
