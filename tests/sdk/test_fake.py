"""What only the fake can do: refuse at will, be away and come back, and tell what it was given."""

import asyncio
import threading

import pytest

from stream.core.cloudevents import Event
from stream.families.registry import FAMILIES
from stream.sdk.blocking import Blocking
from stream.sdk.delivery import NotAcknowledged
from stream.sdk.factory import EventFactory
from stream.sdk.fake import FakeProducer
from stream.sdk.producer import checked
from tests.running import until
from tests.sdk import test_customer_events, test_every_event, test_factory

EVENTS = EventFactory("/test", tenant="acme")


async def test_it_keeps_events_of_every_family_as_a_reader_reads_them() -> None:
    every = [*test_factory.EVERY_KIND, *test_every_event.MADE, *test_customer_events.EVERY_KIND]
    fake = FakeProducer()
    assert await fake.send_many(every) == len(every)

    assert fake.events == every
    assert [one.value for one in fake.received] == [checked(event) for event in every]
    assert {type(event) for event in every} == {kind for family in FAMILIES for kind in family.events}


async def test_it_refuses_what_it_is_told_to_and_nothing_else() -> None:
    def no_chats(event: Event) -> str | None:
        return "no chats" if getattr(event.data, "channel", None) == "chat" else None

    fake = FakeProducer(refuse=no_chats)
    chat, call = EVENTS.enqueued("a", "q", channel="chat"), EVENTS.enqueued("b", "q")
    with pytest.raises(NotAcknowledged, match="1 of 2 events were not acknowledged: no chats") as told:
        await fake.send_many([chat, call])

    assert fake.events == [call]
    assert [one.event.value for one in told.value.given_up] == [checked(chat)]


async def test_it_may_go_away_and_come_back() -> None:
    fake = FakeProducer()
    await fake.send(EVENTS.enqueued("a", "q"))
    fake.away = True
    with pytest.raises(NotAcknowledged, match="away"):
        await fake.send(EVENTS.enqueued("b", "q"))
    fake.away = False
    await fake.send(EVENTS.enqueued("c", "q"))

    assert [event.subject for event in fake.events] == ["a", "c"]


async def test_those_who_wait_for_room_go_on_in_their_order_once_there_is_some() -> None:
    fake = FakeProducer(full=True)
    waiting = [asyncio.create_task(fake.post(EVENTS.enqueued(contact, "q"))) for contact in "abc"]
    await asyncio.sleep(0)
    assert fake.events == []

    fake.full = False
    await asyncio.gather(*waiting)
    await fake.close()

    assert [event.subject for event in fake.events] == ["a", "b", "c"]


async def test_a_thread_that_waits_for_room_goes_on_once_another_one_makes_some() -> None:
    fake = FakeProducer(full=True)
    with Blocking(fake) as producer:
        waiting = threading.Thread(target=producer.post, args=(EVENTS.enqueued("a", "q"),))
        waiting.start()
        await until(lambda: fake._room._loop is not None)  # it waits by now
        assert waiting.is_alive()

        fake.full = False
        await asyncio.to_thread(waiting.join)

    assert [event.subject for event in fake.events] == ["a"]
