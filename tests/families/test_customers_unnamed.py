"""The id of a customer goes into no row, log, error or page, whatever was sent as one: only the topic has it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from faust.types import TP

from scripts.json_schemas import EXAMPLES
from stream.app.policy_file import policies_of
from stream.app.replay import replay
from stream.app.topics import source_topics
from stream.board.view import panels_of
from stream.core.cloudevents import Event, encode, key_of
from stream.core.family import FoldOptions
from stream.core.identity import CustomerKeys
from stream.errors import InvalidEvent
from stream.families.registry import DECODER, EVENT_TYPES, FAMILIES
from stream.settings import Settings
from tests.runtime.fakes import FakeRecord, MemoryLog
from tests.runtime.members import Member

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAME = "Marija-Novak-555-0187"
"""What should never have been sent as an id: a name and a number."""

TOPIC = "diagnosis-4711"
"""What it was about may be personal as well."""

POLICIES = policies_of(
    "[defaults]\nfollow_up_dispositions = ['solved']\nsurvey_after_solution = 'csat'\nsurvey_by_agent = true\n",
    "policy",
)

Document = dict[str, Any]


def documents() -> Iterator[Document]:
    """Yield an example of each event that may name a customer, with one that it should not name."""
    for tag, kind in EVENT_TYPES.items():
        told = json.loads((EXAMPLES / f"{tag}.json").read_text())
        names = fields_of(kind)
        about = {"topic": TOPIC} if "topic" in names else {}
        if is_about_a_customer(told):
            yield told | {"subject": NAME, "data": {**told.get("data", {}), **about}}
        elif "customer" in names:
            yield told | {"data": {**told.get("data", {}), "customer": NAME, **about}}


def fields_of(kind: type[Event]) -> set[str]:
    """Return the names of what the data of an event may tell."""
    of = next(field.type for field in msgspec.structs.fields(kind) if field.name == "data")
    return {field.name for field in msgspec.structs.fields(of)}


def is_about_a_customer(document: Document) -> bool:
    """Tell whether the subject is the customer; else the customer is in the data."""
    return str(document["type"]).startswith("customer.")


DOCUMENTS = [*documents()]


def decoded(document: Document) -> Event:
    return DECODER.decode(json.dumps(document).encode())


EVENTS = sorted(map(decoded, DOCUMENTS), key=lambda event: event.time)


def member() -> Member:
    topics: dict[TP, list[FakeRecord]] = {TP(family.name, 0): [] for family in FAMILIES}
    for event in EVENTS:
        topic = topics[TP(event.topic, 0)]
        topic.append(FakeRecord(len(topic), key_of(event), encode(event)))
    for document in DOCUMENTS:
        topic = topics[TP(EVENT_TYPES[document["type"]].topic, 0)]
        for broken in broken_ones(document):
            topic.append(FakeRecord(len(topic), b"acme/support", json.dumps(broken).encode()))
    sources = source_topics(
        POLICIES,
        customer_keys=CustomerKeys(b"k" * 64, b""),
        partitions=1,
        max_queues_per_tenant=100,
        max_queues=100,
        max_customers=100,
        future_tolerance=timedelta(days=30),
        clock=lambda: NOON,
    )
    return Member(MemoryLog(), topics, sources, Settings(group="unnamed", partitions=1), NOON)


def broken_ones(document: Document) -> Iterator[Document]:
    """Yield what is no event: with something else in place of the id, or with the id and another mistake."""
    data = document["data"]
    for mistake in (f"{NAME} " * 30, [NAME], {NAME: NAME}, ""):
        if is_about_a_customer(document):
            yield document | {"subject": mistake}
        else:
            yield document | {"data": data | {"customer": mistake}}
    wrong = {"channel": NAME, "agent": [NAME], "queue": [NAME], "plan": [NAME], "order": [NAME]}
    of_no_such_field = fields_of(EVENT_TYPES[document["type"]]).isdisjoint(wrong)
    yield document | {"data": [NAME] if of_no_such_field else data | wrong}
    yield document | {"time": NAME}
    yield document | {"type": NAME}
    yield {name: value for name, value in document.items() if name != "subject"} | {NAME: NAME}


def is_told(text: str | bytes) -> bool:
    """Tell whether anything of the name, or of the matter, can be read."""
    known = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return any(part in known for part in ("Marija", "Novak", "555-0187", "diagnosis"))


def test_there_is_an_example_of_each_family_that_knows_customers_and_its_record_names_them() -> None:
    assert {event.topic for event in EVENTS} >= {"contacts", "cases", "surveys", "customers"}
    assert all(is_told(encode(event)) for event in EVENTS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["type"])
def test_an_error_does_not_quote_the_customer(document: Document) -> None:
    for broken in broken_ones(document):
        with pytest.raises(InvalidEvent) as refused:
            decoded(broken)

        assert not is_told(f"{refused.value} {refused.value!r} {refused.value.field} {refused.value.reason}")
        assert refused.value.__suppress_context__ or refused.value.__context__ is None


async def test_no_changelog_dead_letter_header_or_log_names_a_customer(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    worker = member().begin()
    while not worker.done:
        await worker.apply(50)
        assert await worker.checkpoints.write()

    tables = {name for family in FAMILIES if family.name != "agents" for name in family.tables}
    # What follows for other families is on their topics, as it would have been sent.
    logs = {topic: log for (topic, _), log in worker.log.shared.changelogs.items() if topic.endswith("-changelog")}
    assert {topic.removesuffix("-changelog").rpartition("-")[2] for topic in logs} >= tables
    rows = [one for log in logs.values() for one in log]
    written = [part for one in rows for part in (one.key, one.value, *(value for _, value in one.headers)) if part]
    letters = [options["headers"] for _, _, options in worker.producer.sent]
    headers = [value for letter in letters for _, value in letter]
    assert any(b"call-20260302-0917" in part for part in written), "what is kept would be found"
    assert any(b"data.customer" in part for part in headers)
    assert not any(map(is_told, [*written, *headers]))
    assert not is_told(caplog.text)


def test_no_board_names_a_customer() -> None:
    board = replay(EVENTS, policies=POLICIES).board(NOON)
    shown = repr([board, panels_of(board, FAMILIES, "today", detailed=True)])

    assert "agent-23" in shown
    assert not is_told(shown)


def test_no_fold_tells_a_customer_in_what_is_printed_of_it() -> None:
    options = FoldOptions(policies=POLICIES)
    for family in FAMILIES:
        fold = family.new_fold(options)
        events = [event for event in EVENTS if event.topic == family.name]
        if events:
            applied = fold.apply(events, range(len(events)))
            fold.settle()
            assert not is_told(repr((applied, options, [*fold.tables.items()])))
