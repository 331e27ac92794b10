"""How documents are packed and who may send them: deliveries of Firehose, pipes, keys, and what attackers send."""

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.cloudevents import Event, tag_of
from stream.errors import BrokerError, SettingsError
from stream.security import watched_file
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import is_valid
from stream.sources.registry import SOURCES
from stream.sources.requests.answering import answer
from stream.sources.source import Received
from tests.samples import sample
from tests.sources.amazon_connect.aws import (
    INSTANCE,
    KEY,
    URL,
    Call,
    connected,
    contact_event,
    contact_record,
    firehose,
    posted,
    queue_arn,
    told,
)
from tests.timeline import after

ANN = contact_event("QUEUED", Call(contact="ann", queued="00:00"), "00:00")
BOB = contact_event("QUEUED", Call(contact="bob", queued="01:00"), "01:00")
LOGIN = {
    "AgentARN": f"{INSTANCE}/agent/a1",
    "CurrentAgentSnapshot": {
        "AgentStatus": {"Name": "Available"},
        "Contacts": [{"ContactId": "ann", "State": "MISSED"}],
        "Configuration": {"RoutingProfile": {"InboundQueues": [{"ARN": queue_arn("sales")}]}},
    },
    "EventId": "e1",
    "EventTimestamp": "2026-11-20T10:00:00.000Z",
    "EventType": "LOGIN",
    "InstanceARN": INSTANCE,
}
EVE = contact_record(Call(contact="eve", queued="00:00", ended="00:40"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("connect")


def subjects(events: list[Event]) -> list[str]:
    return [event.subject for event in events if tag_of(event) == "contact.enqueued"]


def encoded(document: object) -> str:
    return b64encode(json.dumps(document).encode()).decode()


def kinesis(data: object) -> dict[str, object]:
    """Return a record of Kinesis as an EventBridge pipe sends it."""
    return {"eventSource": "aws:kinesis", "partitionKey": "k", "sequenceNumber": "1", "data": data}


PACKED: dict[str, tuple[Received, list[str]]] = {
    "one": (posted(ANN), ["ann"]),
    "a list": (posted([ANN, BOB]), ["ann", "bob"]),
    "lines": (posted(b"\n".join(json.dumps(each).encode() for each in (ANN, BOB)) + b"\n"), ["ann", "bob"]),
    "nothing between": (posted(json.dumps(ANN).encode() + json.dumps(BOB).encode()), ["ann", "bob"]),
    "a delivery": (firehose(ANN, EVE), ["ann", "eve"]),
    "several in one record": (
        firehose(json.dumps(ANN).encode() + b"\r\n\t" + json.dumps(EVE).encode()),
        ["ann", "eve"],
    ),
    "a pipe": (posted([kinesis(encoded(ANN)), kinesis(encoded(BOB))]), ["ann", "bob"]),
    "a pipe that decoded": (posted([kinesis(ANN)]), ["ann"]),
    "a pipe into Firehose": (firehose(kinesis(encoded(ANN))), ["ann"]),
    "nothing": (posted(b""), []),
    "an empty delivery": (firehose(), []),
}


@pytest.mark.parametrize(("request_", "expected"), PACKED.values(), ids=PACKED)
def test_documents_are_found_however_they_are_packed(tmp_path: Path, request_: Received, expected: list[str]) -> None:
    intake = Intake(read=1)

    assert subjects(told(connected(tmp_path, intake), [request_])) == expected
    assert intake.read == (intake.used + intake.ignored + intake.unknown + intake.refused).total()
    assert not intake.refused


def test_the_recorded_delivery_is_read(tmp_path: Path) -> None:
    body = sample("amazon-connect/firehose_http_request.json").read_bytes()
    headers = json.loads(sample("amazon-connect/firehose_http_headers.json").read_bytes())
    request = Received(body, {name.lower(): text for name, text in headers.items()}, URL, after("00:00"))
    webhook = connected(tmp_path)

    assert webhook.verified(request)
    assert subjects(told(webhook, [request])) == [
        "6fe40d2a-1a89-4d73-bfcf-5d9c33894f47",
        "15a5cf14-3212-45a1-9f86-a8e97db8afaf",
    ]


BAD_RECORDS: dict[str, tuple[object, str]] = {
    "no base64": ({"data": "{}"}, "not_base64"),
    "base64 with noise": ({"data": "e30=\n e30="}, "not_base64"),
    "not ASCII": ({"data": "é"}, "not_base64"),
    "no data": ({}, "not_base64"),
    "null": (None, "not_base64"),
    "a number": ({"data": 7}, "not_base64"),
    "a list": ([], "not_base64"),
    "no UTF-8": ({"data": b64encode(b"\xff\xfe").decode()}, "not_utf8"),
    "no JSON": ({"data": b64encode(b"+38640000001 rang").decode()}, "not_json"),
    "half a JSON": ({"data": b64encode(b'{"a":').decode()}, "not_json"),
    "not a number": ({"data": b64encode(b'{"a": NaN}').decode()}, "not_json"),
    "a number without end": ({"data": b64encode(b'{"a": ' + b"9" * 10_000 + b"}").decode()}, "not_json"),
    "deep": ({"data": b64encode(b"[" * 100_000).decode()}, "not_json"),
    "deep objects": ({"data": b64encode(b'{"a":' * 100_000).decode()}, "not_json"),
    "lists in lists": ({"data": b64encode(b"[" * 40 + b"{}" + b"]" * 40).decode()}, "packed_too_deep"),
    "a text": ({"data": encoded("ann")}, "not_an_object"),
    "another document": ({"data": encoded({"hello": "+38640000001"})}, "unknown_document"),
}


@pytest.mark.parametrize(("record", "reason"), BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_one_bad_record_is_counted_and_the_others_of_the_delivery_are_told(
    tmp_path: Path, record: object, reason: str
) -> None:
    aside: list[Any] = []
    intake = Intake(aside.append, read=1)
    delivery = json.loads(firehose(ANN, BOB).body)
    delivery["records"].insert(1, record)

    events = told(connected(tmp_path, intake), [posted(delivery)])

    assert subjects(events) == ["ann", "bob"]
    assert intake.refused == {reason: 1}
    assert intake.read == 3
    assert "3864" not in str(aside[0])
    assert aside[0].place.offset == 1


def test_what_stands_before_a_broken_end_of_a_record_is_told(tmp_path: Path) -> None:
    intake = Intake()

    events = told(connected(tmp_path, intake), [firehose(json.dumps(ANN).encode() + b'{"detail-type": ')])

    assert subjects(events) == ["ann"]
    assert intake.refused == {"not_json": 1}


def test_another_event_of_eventbridge_is_named_and_told_of_as_unknown(tmp_path: Path) -> None:
    intake = Intake()
    documents = [
        ANN | {"detail-type": "Amazon Connect Cases Event"},
        ANN | {"detail": ANN["detail"] | {"eventType": "NEW"}},
    ]

    assert told(connected(tmp_path, intake), map(posted, documents)) == []
    assert intake.unknown == {"Amazon Connect Cases Event": 1, "NEW": 1}


def test_who_sends_tiny_documents_without_end_is_not_listened_to_for_long(tmp_path: Path) -> None:
    intake = Intake(read=1)

    assert told(connected(tmp_path, intake), [posted(b"{}" * 1_000_000)]) == []
    assert intake.refused == {"unknown_document": 10_000, "too_many": 1}
    assert intake.read == 10_001


def test_a_record_with_a_megabyte_of_attributes_is_a_record(tmp_path: Path) -> None:
    huge = EVE | {"Attributes": {f"name-{number}": "x" * 1000 for number in range(1000)}}

    assert subjects(told(connected(tmp_path), [firehose(huge)])) == ["eve"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("1970-01-01T00:00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def damaged(draw: st.DrawFn) -> object:
    """A good document in which anything stands in one place."""
    whole = json.loads(json.dumps(draw(st.sampled_from([ANN, EVE, LOGIN]))))
    place: Any = whole
    while isinstance(place[name := draw(st.sampled_from(sorted(place)))], dict) and draw(st.booleans()):
        place = place[name]
        if not place:
            return whole
    place[name] = draw(JSON)
    return whole


@given(st.lists(damaged() | JSON, max_size=4), st.sampled_from([firehose, lambda *each: posted([*each])]))
@settings(max_examples=300, deadline=None)
def test_whatever_comes_every_document_is_counted_once_and_every_event_is_valid(
    folder: Path, documents: list[object], packed: Callable[..., Received]
) -> None:
    intake = Intake(read=1)

    for event in told(connected(folder, intake), [packed(*documents)]):
        is_valid(event, Intake())
    counted = intake.used + intake.ignored + intake.unknown + intake.refused
    assert intake.read == counted.total() > 0


# -- keys --------------------------------------------------------------------------------------


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


SHOWN = [
    ({"x-amz-firehose-access-key": KEY}, True),
    ({"x-amz-firehose-access-key": "next-key"}, True),
    ({"x-api-key": KEY}, True),
    ({"authorization": basic("contact-stream", KEY)}, True),
    ({"authorization": basic("", KEY).replace("Basic", "basic")}, True),
    ({"x-amz-firehose-access-key": "guessed", "x-api-key": KEY}, True),
    ({}, False),
    ({"x-api-key": ""}, False),
    ({"x-api-key": KEY + " "}, False),
    ({"x-api-key": KEY[:-1]}, False),
    ({"x-api-key": f"{KEY}\nnext-key"}, False),
    ({"x-api-key": "\xff\udc80"}, False),
    ({"authorization": basic(KEY, "")}, False),
    ({"authorization": basic("contact-stream", KEY + "x")}, False),
    ({"authorization": f"Bearer {KEY}"}, False),
    ({"authorization": "Basic"}, False),
    ({"authorization": "Basic ****"}, False),
    ({"authorization": "Basic é"}, False),
    ({"authorization": "Basic /w=="}, False),
]


@pytest.mark.parametrize(("headers", "good"), SHOWN)
def test_who_shows_a_key_may_send_and_nobody_else(tmp_path: Path, headers: dict[str, str], *, good: bool) -> None:
    assert connected(tmp_path).verified(Received(b"{}", headers, URL, after("00:00"))) is good


# -- answers -----------------------------------------------------------------------------------


class Sink:
    """Takes events, or is away."""

    def __init__(self, *, away: bool = False) -> None:
        self.events: list[Event] = []
        self.away = away

    async def send_many(self, events: Any) -> int:
        if self.away:
            raise BrokerError("away")
        self.events += events
        return len(self.events)


async def test_firehose_hears_the_very_answer_that_it_expects(tmp_path: Path) -> None:
    intake, sink = Intake(), Sink()

    reply = await answer(connected(tmp_path, intake), firehose(ANN), sink, intake)

    assert (reply.status, reply.content_type) == (200, "application/json")
    assert json.loads(reply.body) == {
        "requestId": "ed4acda5-034f-9f42-bba1-f29aea6d7d8f",
        "timestamp": round(after("30:00").timestamp() * 1000),
    }
    assert subjects(sink.events) == ["ann"]


async def test_firehose_is_told_to_send_again_what_nobody_could_take(tmp_path: Path) -> None:
    intake = Intake()

    reply = await answer(connected(tmp_path, intake), firehose(ANN), Sink(away=True), intake)

    assert reply.status == 503
    assert json.loads(reply.body).keys() == {"requestId", "timestamp", "errorMessage"}


async def test_a_delivery_with_another_key_is_refused_without_a_look_at_its_body(tmp_path: Path) -> None:
    intake, sink = Intake(), Sink()
    request = Received(
        b"[" * 100_000, {"x-amz-firehose-request-id": "r", "x-amz-firehose-access-key": "?"}, URL, after("00:00")
    )

    reply = await answer(connected(tmp_path, intake), request, sink, intake)

    assert reply.status == 401
    assert json.loads(reply.body)["requestId"] == "r"
    assert (sink.events, intake.refused) == ([], {"not_verified": 1})


@pytest.mark.parametrize("status", [204, 401, 503])
def test_an_api_destination_hears_the_status_alone(tmp_path: Path, status: int) -> None:
    reply = connected(tmp_path).reply(posted(ANN), status)

    assert (reply.status, reply.body) == (status, b"")


# -- settings ----------------------------------------------------------------------------------


BAD_LISTS = [b"", b"[]", b"{}", b'{"QueueSummaryList": [{"Id": 1}]}', b"\xff", b"[" * 100_000]


@pytest.mark.parametrize("text", BAD_LISTS, ids=range(len(BAD_LISTS)))
def test_a_list_of_queues_that_is_none_is_named(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "other.json").write_bytes(text)

    with pytest.raises(SettingsError, match=r"queues_file: .*other\.json is not what `aws connect list-queues` prints"):
        connected(tmp_path, queues_file=tmp_path / "other.json")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"queues_file: .*none cannot be read"):
        connected(tmp_path, queues_file=tmp_path / "none")


def test_it_is_in_the_registry() -> None:
    assert SOURCES["amazon-connect"].webhook is not None


def test_a_list_of_queues_that_is_replaced_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_file, "CHECKED_EVERY_SECONDS", 0.0)
    webhook = connected(tmp_path)
    assert [getattr(event.data, "queue", None) for event in told(webhook, [posted(ANN)])] == ["Sales"]
    names = tmp_path / "queues.json"
    names.write_text(names.read_text().replace('"Sales"', '"Sales Europe"'))
    assert [getattr(event.data, "queue", None) for event in told(webhook, [posted(ANN)])] == ["Sales Europe"]
