"""Sources that are not in the product: a puller, a webhook and a file, each the smallest that there can be."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import Event
from stream.sdk.factory import EventFactory
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location
from stream.sources.source import PulledBatch, Received, Source, UnreadablePosition, Webhook

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Pager(Struct):
    """A puller that asks a system for pages."""

    pages: list[list[str]]
    intake: Intake

    async def batches(self, saved: bytes | None) -> AsyncIterator[PulledBatch]:
        events = EventFactory("/pager", clock=lambda: BEGIN, new_id=lambda: "-")
        for number in range(_page_of(saved), len(self.pages)):
            told: list[Event] = []
            for place, contact in enumerate(self.pages[number]):
                self.intake.read += 1
                if contact.isalnum():
                    self.intake.used["call"] += 1
                    event = events.enqueued(contact, "sales")
                    told.append(msgspec.structs.replace(event, id=f"{number}-{place}"))
                else:
                    self.intake.refuse(BadLine(Location("page", number, place), "bad_call", "the call has no name"))
            yield PulledBatch(told, str(number + 1).encode())


def _page_of(saved: bytes | None) -> int:
    if saved is None:
        return 0
    if not saved.isdigit():
        raise UnreadablePosition("no page is meant")
    return int(saved)


class PagerOptions(Struct, frozen=True, kw_only=True):
    """What a person says of the pager."""

    calls: Annotated[str, Meta(description="The calls of its one page, with commas between.")]
    site: Annotated[str | None, Meta(description="Where the pager stands.")] = None


PAGER = Source(
    name="pager",
    about="Asks a pager for its calls.",
    options=PagerOptions,
    pull=lambda options, intake: Pager([options.calls.split(",")], intake),
    position=lambda _: Path("pager.position"),
)


class Desk(Webhook):
    """A webhook whose sender signs what it sends."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def verified(self, request: Received) -> bool:
        signed = hmac.new(b"secret", request.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(signed.encode(), request.headers.get("x-signature", "").encode())

    def events(self, request: Received) -> Iterable[Event]:
        try:
            call = json.loads(request.body)["call"]
        except (ValueError, KeyError, TypeError):
            self._intake.refuse(BadLine(Location("request", 1, 0), "not_json", "the body tells of no call"))
            return
        self._intake.used["call"] += 1
        factory = EventFactory("/desk", clock=lambda: BEGIN, new_id=lambda: f"enqueued-{call}")
        yield factory.enqueued(call, "sales")


class DeskOptions(Struct, frozen=True, kw_only=True):
    """What a person says of the desk: nothing."""


DESK = Source(
    name="desk", about="Takes what a desk sends.", options=DeskOptions, webhook=lambda _, intake: Desk(intake)
)


class LedgerOptions(Struct, frozen=True, kw_only=True):
    """What a person says of the ledger."""

    file: Annotated[Path, Meta(description="The ledger: a name in each line.")]
    tenant: Annotated[str, Meta(description="Whose ledger it is.")] = "nobody"
    counter: Annotated[str, Meta(description="Where the people stood.")] = "front"
    early: Annotated[bool, Meta(description="Whether they came the day before.")] = False


def _names(options: LedgerOptions, intake: Intake) -> Iterator[Event]:
    begin = BEGIN - timedelta(days=options.early)
    factory = EventFactory("/ledger", tenant=options.tenant, clock=lambda: begin, new_id=lambda: name)
    for name in options.file.read_text(encoding="utf-8").split():
        intake.read += 1
        intake.used["name"] += 1
        yield factory.enqueued(name, options.counter)


LEDGER = Source(name="ledger", about="Who stood at a counter.", options=LedgerOptions, read=_names)
