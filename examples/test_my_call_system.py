"""Your own tests, without a broker: python -m pytest examples/test_my_call_system.py.

`MyCallSystem` stands for your program; all that it has to do for this is to be handed its producer.
"""

import pytest

from stream.families.contacts.events import ContactAnswered, ContactEnqueued
from stream.sdk.blocking import Blocking
from stream.sdk.buffered import BufferFull
from stream.sdk.delivery import NotAcknowledged
from stream.sdk.factory import EventFactory
from stream.sdk.fake import FakeProducer


class MyCallSystem:
    """Sends an event for what happens to a call, and drops it where there is no room."""

    def __init__(self, producer: Blocking) -> None:
        self.producer = producer
        self.events = EventFactory("/my/pbx", tenant="acme")
        self.dropped = 0

    def call_waits(self, call: str) -> None:
        try:
            self.producer.post_nowait(self.events.enqueued(call, "sales"))
        except BufferFull:
            self.dropped += 1

    def call_is_answered(self, call: str, agent: str) -> None:
        self.producer.send(self.events.answered(call, "sales", agent=agent))


def test_a_call_is_told_from_its_begin_to_its_answer() -> None:
    fake = FakeProducer()
    with Blocking(fake) as producer:
        system = MyCallSystem(producer)
        system.call_waits("call-1")
        system.call_is_answered("call-1", agent="eve")

    assert [(type(event), event.subject) for event in fake.events] == [
        (ContactEnqueued, "call-1"),
        (ContactAnswered, "call-1"),
    ]
    assert fake.events[1].data.agent == "eve"


def test_an_answer_that_cannot_be_told_is_an_error() -> None:
    with Blocking(FakeProducer(away=True)) as producer, pytest.raises(NotAcknowledged):
        MyCallSystem(producer).call_is_answered("call-1", agent="eve")


def test_a_call_goes_on_where_there_is_no_room_for_its_event() -> None:
    fake = FakeProducer(full=True)
    with Blocking(fake) as producer:
        system = MyCallSystem(producer)
        system.call_waits("call-1")
        assert system.dropped == 1

        fake.full = False
        system.call_waits("call-2")

    assert [event.subject for event in fake.events] == ["call-2"]
