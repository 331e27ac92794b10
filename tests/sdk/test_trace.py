"""Which text is a trace context, and how it travels with an event."""

import asyncio
import json
from uuid import uuid4

import pytest

from stream.core.cloudevents import encode
from stream.families.registry import DECODER
from stream.sdk.factory import EventFactory
from stream.sdk.fake import FakeProducer
from stream.sdk.producer import Producer
from stream.sdk.trace import TraceContext
from tests.brokers import Broker
from tests.sdk.records import create_topics, records_of

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01"
EVENT = EventFactory("/test").enqueued("c", "q")


@pytest.mark.parametrize("parent", [PARENT, PARENT.replace("00-", "42-", 1), PARENT.replace("00-", "42-", 1) + "-more"])
def test_a_trace_is_read_from_the_headers_that_a_library_would_send(parent: str) -> None:
    assert TraceContext.of({"traceparent": f" {parent} "}) == TraceContext(parent)
    assert TraceContext.of({"traceparent": parent, "tracestate": "a=1, b=2"}) == TraceContext(parent, "a=1, b=2")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        PARENT.upper(),
        PARENT[:-1],
        PARENT[3:],
        f"ff{PARENT[2:]}",
        PARENT.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        PARENT.replace("b9c7c989f97918e1", "0" * 16),
        PARENT + "\n00",
        "0555-1234",
    ],
)
def test_what_is_no_trace_is_left_out(wrong: str) -> None:
    assert TraceContext.of({"traceparent": wrong, "tracestate": "a=1"}) is None


@pytest.mark.parametrize("wrong", ["a=1\r\nX: 2", "ä=1", "a=" + "1" * 2000, "\x00"])
def test_a_state_that_no_header_holds_is_left_out(wrong: str) -> None:
    assert TraceContext.of({"traceparent": PARENT, "tracestate": wrong}) == TraceContext(PARENT)
    assert TraceContext.of({"tracestate": "a=1"}) is None


def test_it_is_an_extension_of_the_event_and_changes_nothing_else() -> None:
    value = TraceContext(PARENT, 'a="1"').added_to(encode(EVENT))

    assert json.loads(value) == json.loads(encode(EVENT)) | {"traceparent": PARENT, "tracestate": 'a="1"'}
    assert DECODER.decode(value) == EVENT


async def test_a_fake_tells_which_trace_each_event_had() -> None:
    fake = FakeProducer()
    await fake.send(EVENT)
    await fake.send(EVENT, trace=TraceContext(PARENT, "a=1"))

    assert fake.traces == [None, TraceContext(PARENT, "a=1")]


def test_on_a_broker_it_is_in_the_headers_as_well_where_instrumentation_looks(own_broker: Broker) -> None:
    tenant = f"t-{uuid4().hex}"
    events = EventFactory("/test", tenant=tenant)

    async def story() -> list[list[tuple[str, bytes]]]:
        await create_topics(own_broker.address)
        async with Producer(own_broker.address) as producer:
            await producer.send(events.enqueued("a", "q"))
            await producer.send(events.enqueued("b", "q"), trace=TraceContext(PARENT))
            await producer.send(events.enqueued("c", "q"), trace=TraceContext(PARENT, "a=1"))
        return [record.headers for record in await records_of(own_broker.address, tenant)]

    parent = ("traceparent", PARENT.encode())
    assert asyncio.run(story()) == [[], [parent], [parent, ("tracestate", b"a=1")]]
