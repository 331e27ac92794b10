"""The producer against a real broker; tests keep apart by tenant."""

import asyncio
import socket
import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from stream.broker import embedded
from stream.broker.embedded import EmbeddedBroker
from stream.core.cloudevents import Event
from stream.errors import BrokerError, EventsRefused, InvalidEvent, SettingsError
from stream.sdk.blocking import BlockingProducer
from stream.sdk.delivery import NotAcknowledged
from stream.sdk.factory import EventFactory
from stream.sdk.producer import BufferFull, EncodedEvent, Producer, ProducerPolicy
from tests.brokers import Broker
from tests.sdk.records import create_topics, records_of

IMPATIENT = ProducerPolicy(delivery_timeout=timedelta(seconds=0.3), request_timeout=timedelta(seconds=0.3))


async def arrived(address: str, tenant: str, topic: str = "contacts") -> list[tuple[int, bytes, Event]]:
    """Return partition, key and event of each record of a tenant, in the order of its partition."""
    return [record[:3] for record in await records_of(address, tenant, topic)]


@pytest.fixture
async def address(own_broker: Broker) -> str:
    await create_topics(own_broker.address)
    return own_broker.address


@pytest.fixture
def events() -> EventFactory:
    return EventFactory("/test", tenant=f"t-{uuid4().hex}")


@pytest.fixture
def tenant(events: EventFactory) -> str:
    return events.enqueued("c", "q").tenantid


@pytest.fixture
def nowhere() -> str:
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


async def test_an_event_that_was_sent_has_arrived_under_its_key(
    address: str, events: EventFactory, tenant: str
) -> None:
    contact, agent = events.enqueued("ann", "sales"), events.logged_in("eve")
    async with Producer(address) as producer:
        await producer.send(contact)
        await producer.send(agent)

        assert [found[1:] for found in await arrived(address, tenant)] == [(f"{tenant}/sales".encode(), contact)]
        assert [found[2] for found in await arrived(address, tenant, "agents")] == [agent]


async def test_many_events_arrive_once_and_in_the_order_of_their_queue(
    address: str, events: EventFactory, tenant: str
) -> None:
    day = [events.enqueued(f"c{number}", f"q{number % 7}") for number in range(3000)]
    async with Producer(address, policy=ProducerPolicy(buffer_bytes=50_000, batch_bytes=10_000)) as producer:
        assert await producer.send_many(day) == 3000

    found = await arrived(address, tenant)
    assert len(found) == 3000
    assert len({(key, partition) for partition, key, _ in found}) == 7
    for queue in range(7):
        assert [event.subject for _, key, event in found if key.endswith(f"/q{queue}".encode())] == [
            event.subject for event in day if event.data.queue == f"q{queue}"
        ]


async def test_posted_events_arrive_by_the_time_of_flush(address: str, events: EventFactory, tenant: str) -> None:
    async with Producer(address) as producer:
        await producer.post(events.enqueued("a", "q"))
        producer.post_nowait(events.enqueued("b", "q"))
        await producer.flush()

        assert [event.subject for *_, event in await arrived(address, tenant)] == ["a", "b"]


async def test_closing_delivers_what_was_posted(address: str, events: EventFactory, tenant: str) -> None:
    async with Producer(address) as producer:
        for number in range(100):
            producer.post_nowait(events.enqueued(f"c{number}", "q"))

    assert len(await arrived(address, tenant)) == 100
    with pytest.raises(BrokerError, match="closed"):
        await producer.send(events.enqueued("late", "q"))


async def test_an_invalid_event_is_refused_and_those_before_it_arrive(
    address: str, events: EventFactory, tenant: str
) -> None:
    async with Producer(address) as producer:
        with pytest.raises(InvalidEvent) as refused:
            await producer.send_many([events.enqueued("a", "q"), events.enqueued("", "q"), events.enqueued("b", "q")])

        assert refused.value.field == "subject"
        assert [event.subject for *_, event in await arrived(address, tenant)] == ["a"]


async def test_without_a_broker_the_sender_is_told_which_setting_was_exceeded(
    nowhere: str, events: EventFactory
) -> None:
    async with Producer(nowhere, policy=IMPATIENT) as producer:
        with pytest.raises(BrokerError, match=rf"1 of 1 events .* {nowhere} .*delivery_timeout") as told:
            await producer.send(events.enqueued("05550000001", "q"))

    assert "055500" not in str(told.value)  # longer than the number of a port, which is in there, too


async def test_closing_tells_how_many_events_were_lost(nowhere: str, events: EventFactory) -> None:
    producer = Producer(nowhere, policy=IMPATIENT)
    for number in range(5):
        producer.post_nowait(events.enqueued(f"c{number}", f"q{number}"))

    with pytest.raises(BrokerError, match="5 of 5 events were not acknowledged"):
        await producer.close()


async def test_a_full_buffer_refuses_who_cannot_wait_and_holds_up_who_can(nowhere: str, events: EventFactory) -> None:
    producer = Producer(nowhere, policy=ProducerPolicy(buffer_bytes=1, delivery_timeout=IMPATIENT.delivery_timeout))
    producer.post_nowait(events.enqueued("a", "q"))
    with pytest.raises(BufferFull, match="1 bytes"):
        producer.post_nowait(events.enqueued("b", "q"))
    waiting = asyncio.create_task(producer.post(events.enqueued("c", "q")))
    await asyncio.sleep(0)
    assert not waiting.done()

    await waiting  # the first one was given up, and its room is free

    with pytest.raises(BrokerError, match="2 of 2"):
        await producer.close()


async def test_a_topic_that_does_not_exist_is_named_with_the_way_out(events: EventFactory) -> None:
    # Long enough to hear from the broker, also where others keep the machine busy.
    patient = ProducerPolicy(delivery_timeout=timedelta(seconds=4), request_timeout=timedelta(seconds=4))
    with EmbeddedBroker() as empty:
        async with Producer(empty.address, policy=patient) as producer:
            with pytest.raises(BrokerError, match="no topic contacts; create it with `contact-stream topics`"):
                await producer.send(events.enqueued("a", "q"))


async def test_events_wait_for_a_broker_that_starts_late(
    nowhere: str, events: EventFactory, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "free_port", lambda: int(nowhere.partition(":")[2]))
    async with Producer(nowhere) as producer:
        sending = asyncio.create_task(producer.send_many(events.enqueued(f"c{n}", "q") for n in range(50)))
        async with EmbeddedBroker():
            await create_topics(nowhere)

            assert await sending == 50
            assert [event.subject for *_, event in await arrived(nowhere, tenant)] == [f"c{n}" for n in range(50)]


async def test_a_producer_heals_when_its_broker_was_restarted(
    nowhere: str, events: EventFactory, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "free_port", lambda: int(nowhere.partition(":")[2]))
    async with Producer(nowhere, policy=ProducerPolicy(request_timeout=timedelta(seconds=2))) as producer:
        for subject in ("before", "after"):
            async with EmbeddedBroker():
                await create_topics(nowhere)
                await producer.send(events.enqueued(subject, "q"))

                assert [event.subject for *_, event in await arrived(nowhere, tenant)] == [subject]


class Connection:
    """A client of a broker with one partition that acknowledges, or never does."""

    def __init__(self, *, acknowledges: bool, most_bytes: int = 1_000_000) -> None:
        self.acknowledges = acknowledges
        self.most_bytes = most_bytes
        self.batches: list[list[bytes]] = []

    def create_batch(self) -> "Gathered":
        return Gathered()

    async def send_batch(self, batch: "Gathered", topic: str, *, partition: int) -> "asyncio.Future[object]":
        del topic, partition
        self.batches.append(batch)
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if sum(map(len, batch)) > self.most_bytes:
            answer.set_exception(MessageSizeTooLargeError())
        elif self.acknowledges:
            answer.set_result(None)
        return answer


class Gathered(list[bytes]):
    """A batch."""

    def append(self, *, timestamp: int | None, key: bytes, value: bytes, headers: object) -> object:  # type: ignore[override]  # aiokafka's
        del timestamp, key, headers
        super().append(value)
        return self


class Links:
    """Hands out one connection after the other; the next one when one is dropped."""

    address = "nowhere:9092"

    def __init__(self, *connections: Connection) -> None:
        self.connections = list(connections)

    async def client(self) -> Connection:
        return self.connections[0]

    async def partitions(self, client: Connection, topic: str) -> list[int]:
        del client, topic
        return [0]

    def drop(self, client: Connection | None) -> None:
        self.connections = [one for one in self.connections if one is not client]

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_connection_that_never_acknowledges_is_given_up_long_before_the_events_are(
    events: EventFactory,
) -> None:
    stuck, good = Connection(acknowledges=False), Connection(acknowledges=True)
    policy = ProducerPolicy(request_timeout=timedelta(milliseconds=20), delivery_timeout=timedelta(minutes=2))
    async with Producer("nowhere:9092", policy=policy) as producer:
        producer._link = Links(stuck, good)  # type: ignore[assignment]  # all that is used of one
        await asyncio.wait_for(producer.send(events.enqueued("c", "q")), 20)

    assert len(stuck.batches[0]) == 1
    assert good.batches == stuck.batches[:1]


async def test_of_a_batch_that_is_too_large_only_the_events_at_fault_are_given_up() -> None:
    # One connection after each refusal: an idempotent client is of no use after it.
    policy = ProducerPolicy(delivery_timeout=timedelta(minutes=2))
    sent = [b"%d" % number for number in range(50)]
    sent[7] = sent[30] = b"x" * 200
    connections = [Connection(acknowledges=True, most_bytes=150) for _ in range(60)]
    async with Producer("nowhere:9092", policy=policy) as producer:
        producer._link = Links(*connections)  # type: ignore[assignment]  # all that is used of one
        with pytest.raises(EventsRefused) as refused:
            await producer.send_encoded(EncodedEvent("contacts", b"key", value) for value in sent)

    assert refused.value.reasons == {7: "too_large", 30: "too_large"}
    assert isinstance(refused.value.__cause__, NotAcknowledged)
    assert [(one.event.value, one.failure.reason) for one in refused.value.__cause__.given_up] == [
        (b"x" * 200, "too_large")
    ] * 2
    taken = [value for one in connections for batch in one.batches if sum(map(len, batch)) <= 150 for value in batch]
    assert taken == [value for value in sent if len(value) < 200]


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "localhost", "kafka://", "http://localhost:9092", "localhost:0", "localhost:x"),
        "kafka://u:marked@host:9092",
    ],
)
def test_an_address_that_is_none_is_refused_and_not_quoted(wrong: str) -> None:
    with pytest.raises(SettingsError, match="address of the broker") as refused:
        Producer(wrong)

    assert "marked" not in str(refused.value)


def test_several_threads_may_send_through_one_blocking_producer(
    own_broker: Broker, events: EventFactory, tenant: str
) -> None:
    asyncio.run(create_topics(own_broker.address))
    with BlockingProducer(own_broker.address) as producer:

        def work(name: str) -> None:
            producer.send(events.enqueued(name, "q"))
            producer.post(events.enqueued(name, "q"))
            producer.post_nowait(events.enqueued(name, "q"))
            assert producer.send_many(events.enqueued(name, "q") for _ in range(20)) == 20

        threads = [threading.Thread(target=work, args=(f"thread{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        producer.flush()

        assert len(asyncio.run(arrived(own_broker.address, tenant))) == 4 * 23
    with pytest.raises(BrokerError, match="closed"):
        producer.send(events.enqueued("late", "q"))


def test_a_blocking_producer_tells_what_it_lost(nowhere: str, events: EventFactory) -> None:
    producer = BlockingProducer(nowhere, policy=IMPATIENT)
    producer.post(events.enqueued("a", "q"))

    with pytest.raises(BrokerError, match="1 of 1"):
        producer.close()
    producer.close()
