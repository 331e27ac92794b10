"""What holds for every producer: on a broker, through a gateway, and for the fake that stands in for both."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextvars import ContextVar
from uuid import uuid4

import pytest

from stream.errors import BrokerError, InvalidEvent
from stream.sdk.blocking import Blocking
from stream.sdk.buffered import BufferFull
from stream.sdk.delivery import DeliveryReport, NotAcknowledged
from stream.sdk.factory import EventFactory
from stream.sdk.trace import TraceContext
from tests.brokers import Broker
from tests.sdk.records import create_topics
from tests.sdk.transports import TRANSPORTS, Transport

TRACE = TraceContext("00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01", 'congo=t61rcWkgMzE,vendor="x"')
OTHER = TraceContext("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")


@pytest.fixture(scope="module")
def broker_with_topics(own_broker: Broker) -> Broker:
    asyncio.run(create_topics(own_broker.address))
    return own_broker


@pytest.fixture(params=[*TRANSPORTS])
async def transport(request: pytest.FixtureRequest, broker_with_topics: Broker) -> AsyncIterator[Transport]:
    async with TRANSPORTS[request.param](broker_with_topics) as opened:
        yield opened


@pytest.fixture
def events() -> EventFactory:
    return EventFactory("/test", tenant=f"t-{uuid4().hex}")


@pytest.fixture
def tenant(events: EventFactory) -> str:
    return events.enqueued("c", "q").tenantid


async def subjects(transport: Transport, tenant: str) -> list[str]:
    return [one.event.subject for one in await transport.arrived(tenant)]


async def test_an_event_that_was_sent_has_arrived_as_it_was(
    transport: Transport, events: EventFactory, tenant: str
) -> None:
    event = events.enqueued("ann", "sales")
    async with transport.producer() as producer:
        await producer.send(event)

        assert await transport.arrived(tenant) == [(f"{tenant}/sales".encode(), event, None)]


async def test_many_arrive_once_in_the_order_of_their_queue(
    transport: Transport, events: EventFactory, tenant: str
) -> None:
    day = [events.enqueued(f"c{number}", f"q{number % 7}") for number in range(3000)]
    async with transport.producer() as producer:
        assert await producer.send_many(iter(day)) == 3000

    found = await transport.arrived(tenant)
    assert len(found) == 3000
    for queue in range(7):
        assert [one.event for one in found if one.key.endswith(f"/q{queue}".encode())] == day[queue::7]


async def test_events_of_any_family_travel_together(transport: Transport, events: EventFactory, tenant: str) -> None:
    async with transport.producer() as producer:
        assert await producer.send_many([events.logged_in("eve"), events.enqueued("ann", "q")]) == 2

    assert await subjects(transport, tenant) == ["ann"]


async def test_what_was_posted_has_arrived_by_the_time_of_flush(
    transport: Transport, events: EventFactory, tenant: str
) -> None:
    async with transport.producer() as producer:
        await producer.post(events.enqueued("a", "q"))
        producer.post_nowait(events.enqueued("b", "q"))
        await producer.flush()

        assert await subjects(transport, tenant) == ["a", "b"]


async def test_closing_delivers_what_was_posted_and_takes_no_more(
    transport: Transport, events: EventFactory, tenant: str
) -> None:
    async with transport.producer() as producer:
        for number in range(100):
            producer.post_nowait(events.enqueued(f"c{number}", "q"))

    assert len(await transport.arrived(tenant)) == 100
    with pytest.raises(BrokerError, match="closed"):
        await producer.send(events.enqueued("late", "q"))
    with pytest.raises(BrokerError, match="closed"):
        producer.post_nowait(events.enqueued("late", "q"))


async def test_an_invalid_event_is_refused_at_once_and_those_before_it_arrive(
    transport: Transport, events: EventFactory, tenant: str
) -> None:
    async with transport.producer() as producer:
        with pytest.raises(InvalidEvent) as refused:
            await producer.send_many([events.enqueued("a", "q"), events.enqueued("", "q"), events.enqueued("b", "q")])

        assert refused.value.field == "subject"
        assert await subjects(transport, tenant) == ["a"]


async def test_where_nobody_is_there_the_sender_learns_which_events_were_given_up(
    transport: Transport, events: EventFactory
) -> None:
    async with transport.lonely() as producer:
        with pytest.raises(NotAcknowledged, match="1 of 1 events were not acknowledged: ") as told:
            await producer.send(events.enqueued("05550000001", "q"))

    assert [one.event.topic for one in told.value.given_up] == ["contacts"]
    assert "055500" not in str(told.value)


async def test_closing_tells_how_many_events_were_lost(transport: Transport, events: EventFactory) -> None:
    producer = transport.lonely()
    for number in range(150):
        producer.post_nowait(events.enqueued(f"c{number}", f"q{number % 5}"))

    with pytest.raises(NotAcknowledged, match="150 of 150 events") as told:
        await producer.close()

    assert (told.value.lost, len(told.value.given_up)) == (150, 100)


async def test_what_was_given_up_can_be_sent_again_as_it_was(
    transport: Transport, events: EventFactory, tenant: str
) -> None:
    event = events.enqueued("a", "q")
    async with transport.lonely() as lonely:
        with pytest.raises(NotAcknowledged) as told:
            await lonely.send(event, trace=TRACE)
    async with transport.producer() as producer:
        assert await producer.send_encoded(one.event for one in told.value.given_up) == 1

    assert await transport.arrived(tenant) == [(f"{tenant}/q".encode(), event, TRACE)]


async def test_a_full_buffer_refuses_who_cannot_wait_and_holds_up_who_can(
    transport: Transport, events: EventFactory
) -> None:
    producer = await transport.full(events.enqueued("a", "q"))
    with pytest.raises(BufferFull):
        producer.post_nowait(events.enqueued("b", "q"))
    waiting = asyncio.create_task(producer.post(events.enqueued("c", "q")))
    await asyncio.sleep(0)
    assert not waiting.done()

    transport.make_room(producer)
    await waiting

    with pytest.raises(NotAcknowledged):
        await producer.close()


async def test_a_trace_travels_with_its_event(transport: Transport, events: EventFactory, tenant: str) -> None:
    ongoing = {"b": TRACE, "c": OTHER}
    async with transport.producer(trace=lambda event: ongoing.get(event.subject)) as producer:
        await producer.send_many(events.enqueued(contact, "q") for contact in "abc")
        await producer.send(events.enqueued("b", "q"), trace=OTHER)  # what is said with the event wins
        await producer.post(events.enqueued("d", "q"), trace=TRACE)
        producer.post_nowait(events.enqueued("e", "q"), trace=OTHER)
        await producer.flush()

    found = await transport.arrived(tenant)
    assert [one.event.subject for one in found] == [*"abcbde"]
    assert [one.trace for one in found] == [None, TRACE, OTHER, OTHER, TRACE, OTHER]


async def test_a_hook_is_told_of_each_batch_and_not_of_each_event(transport: Transport, events: EventFactory) -> None:
    reports: list[DeliveryReport] = []
    day = [events.enqueued(f"c{number}", "q") for number in range(2000)]
    async with transport.producer(on_delivery=reports.append) as producer:
        await producer.send_many(day)

    told = [one for report in reports for one in report.acknowledged]
    assert [(one.topic, one.value.count(b'"specversion"')) for one in told] == [("contacts", 1)] * 2000
    assert 1 <= len(reports) < 100
    assert [report.given_up for report in reports] == [()] * len(reports)


async def test_a_hook_is_told_what_was_given_up_and_why(transport: Transport, events: EventFactory) -> None:
    reports: list[DeliveryReport] = []
    async with transport.lonely(on_delivery=reports.append) as producer:
        with pytest.raises(NotAcknowledged) as raised:
            await producer.send_many(events.enqueued(contact, "q") for contact in "ab")

    assert [one for report in reports for one in report.given_up] == [*raised.value.given_up]
    assert {one.failure.why for one in raised.value.given_up} == {str(raised.value).partition(": ")[2]}


async def test_a_hook_that_fails_stops_nothing(
    transport: Transport, events: EventFactory, tenant: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(report: DeliveryReport) -> None:
        raise RuntimeError(f"{len(report.acknowledged)} events")

    async with transport.producer(on_delivery=fail) as producer:
        with caplog.at_level(logging.ERROR):
            await producer.send(events.enqueued("a", "q"))
            await producer.send(events.enqueued("b", "q"))

    assert await subjects(transport, tenant) == ["a", "b"]
    assert [record.message for record in caplog.records] == ["the hook on_delivery failed"] * 2


async def test_several_threads_may_use_one_that_blocks(transport: Transport, events: EventFactory, tenant: str) -> None:
    ongoing: ContextVar[TraceContext | None] = ContextVar("ongoing", default=None)

    def work(producer: Blocking, name: str) -> None:
        producer.send(events.enqueued(name, "q"))
        producer.post(events.enqueued(name, "q"), trace=OTHER)
        ongoing.set(TRACE)
        producer.post_nowait(events.enqueued(name, "q"))
        assert producer.send_many(events.enqueued(name, "q") for _ in range(20)) == 20

    def all_of_them() -> None:
        with Blocking(transport.producer(trace=lambda _: ongoing.get())) as producer:
            threads = [threading.Thread(target=work, args=(producer, name)) for name in "abcd"]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            producer.flush()
        with pytest.raises(BrokerError, match="closed"):
            producer.send(events.enqueued("late", "q"))

    await asyncio.to_thread(all_of_them)

    found = await transport.arrived(tenant)
    for name in "abcd":
        traces = [one.trace for one in found if one.event.subject == name]
        assert traces == [None, OTHER] + [TRACE] * 21


async def test_one_that_blocks_tells_what_it_lost(transport: Transport, events: EventFactory) -> None:
    def lose() -> None:
        producer = Blocking(transport.lonely())
        producer.post(events.enqueued("a", "q"))
        with pytest.raises(NotAcknowledged, match="1 of 1"):
            producer.close()
        producer.close()

    await asyncio.to_thread(lose)
