"""Events of customers and carts, as a shop makes them."""

from datetime import UTC, datetime

import pytest

from stream.core.cloudevents import Event, tag_of
from stream.errors import InvalidEvent
from stream.families.customers.events import EVENTS
from stream.families.registry import DECODER
from stream.sdk.customers import CustomerEvents
from stream.sdk.factory import EventFactory
from stream.sdk.producer import checked

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MAKE = CustomerEvents(EventFactory("/shop", tenant="acme", clock=lambda: NOON))

EVERY_KIND = [
    MAKE.joined("c", plan="plus", group="private", monthly=29.9, currency="EUR", referred=True, revenue_before=10),
    MAKE.changed("c", plan="premium", monthly=49.9),
    MAKE.active("c"),
    MAKE.purchased("c", "o-1", 74.5, currency="EUR"),
    MAKE.refunded("c", "o-1", 24.5),
    MAKE.contacted("c", "call-1", queue="support", channel="voice", topic="delivery", served=True),
    MAKE.handed_over("c", "call-1", "claims"),
    MAKE.solved("c", "call-1", queue="claims", channel="voice"),
    MAKE.asked("c", "s-1", queue="support", what="answered"),
    MAKE.left("c"),
    MAKE.forgotten("c"),
    MAKE.cart_created("k", value=24.5, group="private"),
    MAKE.cart_changed("k", value=74.5, currency="EUR"),
    MAKE.cart_checked_out("k", customer="c", plan="premium"),
    MAKE.cart_ordered("k", order="o-1", customer="c", value=74.5),
]


@pytest.mark.parametrize("event", EVERY_KIND, ids=tag_of)
def test_an_event_of_a_customer_is_valid_and_carries_its_envelope(event: Event) -> None:
    assert DECODER.decode(checked(event)) == event
    assert (event.source, event.tenantid, event.time, event.specversion) == ("/shop", "acme", NOON, "1.0")


def test_every_kind_can_be_made() -> None:
    assert {*map(type, EVERY_KIND)} == {*EVENTS}


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (MAKE.joined(""), "subject"),
        (MAKE.joined("c", monthly=-1), "data.monthly"),
        (MAKE.changed("c", currency="euro"), "data.currency"),
        (MAKE.purchased("c", "", 1), "data.order"),
        (MAKE.cart_ordered("k", customer=""), "data.customer"),
        (MAKE.left("c", at=NOON.replace(tzinfo=None)), "time"),
    ],
)
def test_what_breaks_the_contract_is_refused_before_it_is_sent(event: Event, field: str) -> None:
    with pytest.raises(InvalidEvent) as refused:
        checked(event)

    assert refused.value.field == field


def test_a_keyword_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(InvalidEvent, match="mounthly is unknown"):
        MAKE.changed("c", mounthly=3)  # type: ignore[call-arg]  # a caller without a type checker
    with pytest.raises(InvalidEvent, match="name is unknown"):
        MAKE.cart_changed("k", name="Ann")  # type: ignore[call-arg]  # as above
    with pytest.raises(InvalidEvent, match="agent is unknown"):
        MAKE.contacted("c", "call-1", agent="eve")  # type: ignore[call-arg]  # as above
