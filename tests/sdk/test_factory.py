from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from stream.core.cloudevents import Event, tag_of
from stream.errors import InvalidEvent
from stream.families.registry import DECODER, EVENT_TYPES
from stream.sdk.factory import EventFactory
from stream.sdk.producer import checked

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FACTORY = EventFactory("/crm", tenant="acme", clock=lambda: NOON)

EVERY_KIND = [
    FACTORY.offered("c", did="1000"),
    FACTORY.blocked("c", "sales", "full"),
    FACTORY.enqueued("c", "sales", priority=3, channel="chat", enqueue_seq=2),
    FACTORY.answered("c", "sales", wait=timedelta(seconds=8.2), agent="eve"),
    FACTORY.abandoned("c", "sales", wait=timedelta(seconds=3)),
    FACTORY.dequeued("c", "sales", "overflow", to_queue="second"),
    FACTORY.held("c", "sales"),
    FACTORY.resumed("c", "sales"),
    FACTORY.transferred("c", "sales", "queue", to_queue="second"),
    FACTORY.ended("c", "sales", ended_by="customer", talk=timedelta(minutes=2), hold=timedelta(seconds=9), wrapup=True),
    FACTORY.wrapup_ended("c", "sales", wrapup=timedelta(seconds=30), customer="c-1", topic="delivery"),
    FACTORY.logged_in("eve"),
    FACTORY.logged_out("eve"),
    FACTORY.availability("eve", "not_ready", reason="lunch"),
    FACTORY.activity("eve", "acw"),
    FACTORY.joined("eve", "sales", penalty=1),
    FACTORY.left("eve", "sales"),
]


@pytest.mark.parametrize("event", EVERY_KIND, ids=tag_of)
def test_an_event_of_the_factory_is_valid_and_carries_its_envelope(event: Event) -> None:
    assert DECODER.decode(checked(event)) == event
    assert (event.source, event.tenantid, event.time, event.specversion) == ("/crm", "acme", NOON, "1.0")
    assert tag_of(event) in EVENT_TYPES


def test_every_event_has_an_id_of_its_own() -> None:
    assert len({event.id for event in EVERY_KIND}) == len(EVERY_KIND)


def test_lengths_are_told_in_milliseconds() -> None:
    assert FACTORY.answered("c", "sales", wait=timedelta(seconds=8.2)).data.wait_ms == 8200


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (FACTORY.enqueued("", "sales"), "subject"),
        (FACTORY.enqueued("c", "q" * 129), "data.queue"),
        (FACTORY.enqueued("c", "sales", customer=""), "data.customer"),
        (FACTORY.enqueued("c", "sales", at=NOON.replace(tzinfo=None)), "time"),
        (FACTORY.abandoned("c", "sales", wait=timedelta(seconds=-1)), "data.wait_ms"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_invalid_event_is_refused_with_the_field_at_fault(event: Event, field: str) -> None:
    with pytest.raises(InvalidEvent) as refused:
        checked(event)

    assert refused.value.field == field


def test_an_event_with_text_that_is_no_unicode_is_refused_without_quoting_it() -> None:
    with pytest.raises(InvalidEvent) as refused:
        checked(FACTORY.enqueued("0555\ud800", "sales"))

    assert "0555" not in str(refused.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FACTORY.answered("c", "sales", wait=8), "wait must be a timedelta"),  # type: ignore[arg-type]
        (lambda: FACTORY.abandoned("c", "sales", wait="8"), "wait must be a timedelta"),  # type: ignore[arg-type]
        (lambda: FACTORY.dequeued("c", "s", "key", wait=8.0), "wait must be a timedelta"),  # type: ignore[arg-type]
        (lambda: FACTORY.ended("c", "sales", talk=8), "talk must be a timedelta"),  # type: ignore[arg-type]
        (lambda: FACTORY.wrapup_ended("c", "s", wrapup=8), "wrapup must be a timedelta"),  # type: ignore[arg-type]
        (lambda: FACTORY.held("c", "sales", at="0555-1234"), "at must be a datetime"),  # type: ignore[arg-type]
        (lambda: FACTORY.logged_in("eve", at=""), "at must be a datetime"),  # type: ignore[arg-type]
        (lambda: FACTORY.held("c", "sales", agnet="0555-1234"), "agnet is unknown"),  # type: ignore[call-arg]
    ],
)  # what a caller without a type checker may write
def test_a_wrong_argument_is_named_at_once_without_its_value(make: Callable[[], Event], message: str) -> None:
    with pytest.raises(InvalidEvent) as refused:
        make()

    assert str(refused.value) == message
    assert refused.value.field == message.split(maxsplit=1)[0]
