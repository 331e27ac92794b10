"""A day of a site with figures computed by hand, in any order; whose clock counts; and who sends."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.core.cloudevents import tag_of
from stream.sdk.producer import checked
from stream.sources.intake import Intake
from stream.sources.segment.source import SOURCE
from stream.sources.source import Received, Webhook
from tests.samples import sample
from tests.sources.segment.workspace import BY_HAND, DAY, DAY_BY_CART, call, clock, signed_headers, track
from tests.sources.shops.calling import AT, SECRET, Posted, counted, posted, told, webhook_in


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Webhook:
    return webhook_in(SOURCE, tmp_path_factory.mktemp("segment"))


def test_the_figures_are_those_that_were_computed_by_hand(webhook: Webhook) -> None:
    assert counted(told(webhook, DAY)) == BY_HAND


@given(st.permutations([*DAY, *DAY[::2]]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_repetition_matters(webhook: Webhook, requests: list[Posted]) -> None:
    assert counted(told(webhook, requests)) == BY_HAND


def test_by_cart_a_cart_begins_with_its_first_product(tmp_path: Path) -> None:
    found = counted(told(webhook_in(SOURCE, tmp_path, carts_by="cart_id"), DAY_BY_CART))

    assert {name: number for name, number in found.items() if name.startswith("carts")} == {
        "carts_created": 2,
        "carts_created_value": 25_00 + 20_00,
        "carts_checked_out": 1,
        "carts_completed": 1,
        "carts_completed_value": 25_00,
        "carts_abandoned": 1,
        "carts_abandoned_value": 20_00,
    }


def test_nothing_personal_gets_into_an_event(webhook: Webhook) -> None:
    assert b"arked" not in b"".join(checked(event) for event in told(webhook, DAY))


def test_an_address_that_is_taken_for_an_id_gets_no_further(webhook: Webhook, tmp_path: Path) -> None:
    visit = [call("identify", "10:00", "Marked@example.org")]

    (seen,) = told(webhook, visit)

    assert "@" not in seen.subject
    assert told(webhook_in(SOURCE, tmp_path, address_key_file=None), visit) == []


def test_a_telephone_number_that_is_taken_for_an_id_gets_no_further(webhook: Webhook) -> None:
    assert told(webhook, [call("identify", "10:00", "+386 40 777 123")]) == []
    (seen,) = told(webhook, [call("identify", "10:00", "+386 40 777 123", traits={"email": "marked@example.org"})])
    assert len(seen.subject) == 32


@pytest.mark.parametrize(
    ("kind", "happened"),
    [
        ("Product Viewed", ["customer.active"]),
        ("Signed In", ["customer.active"]),
        ("Subscription Canceled", ["customer.left"]),
        ("Account Deleted", ["customer.left"]),
        ("Order Cancelled", []),
    ],
)
def test_each_name_tells_its_own(webhook: Webhook, kind: str, happened: list[str]) -> None:
    assert [tag_of(one) for one in told(webhook, [track(kind, "10:00", "ann")])] == happened


def test_of_traits_a_plan_is_told_where_it_is_a_name(webhook: Webhook) -> None:
    named, other = (call("identify", "10:00", "ann", traits={"plan": plan}) for plan in ("pro", {"id": 3}))

    assert [tag_of(one) for one in told(webhook, [named])] == ["customer.active", "customer.changed"]
    assert [tag_of(one) for one in told(webhook, [other])] == ["customer.active"]


def test_of_somebody_unknown_only_the_cart_is_told(webhook: Webhook) -> None:
    events = told(webhook, [track("Order Completed", "10:00", None, order_id="o1", total=5)])

    assert [tag_of(one) for one in events] == ["cart.ordered"]


def test_who_is_to_be_forgotten_is_so_without_any_other_field(webhook: Webhook) -> None:
    # As Segment documents it: no messageId.
    asked = [{"type": "delete", "userId": user, "timestamp": clock("14:00")} for user in ("ann", "Marked@example.org")]

    by_id, by_address = told(webhook, [posted(one) for one in asked])
    (seen,) = told(webhook, [call("identify", "10:00", "marked@example.org")])

    assert (tag_of(by_id), by_id.subject, f"{by_id.time:%H:%M}") == ("customer.forgotten", "ann", "14:00")
    assert by_address.subject == seen.subject


@pytest.mark.parametrize(
    ("properties", "referred"),
    [
        ({"type": "invited"}, 1),
        ({"referred": True}, 1),
        ({"type": "organic"}, None),
        ({"type": 1, "referred": "no"}, None),
    ],
)
def test_who_was_sent_by_another_customer_is_counted_so(
    webhook: Webhook, properties: dict[str, Any], referred: int | None
) -> None:
    found = counted(told(webhook, [track("Signed Up", "10:00", "ann", **properties)]))

    assert (found["first_joined"], found.get("referred")) == (1, referred)


def test_what_a_site_says_of_products_does_not_matter_where_it_tells_the_total(webhook: Webhook) -> None:
    odd = [{"price": None, "quantity": "2"}, "socks"]

    (_, bought) = told(webhook, [track("Order Completed", "10:00", "ann", order_id="o1", total=25, products=odd)])
    (begun, _) = told(
        webhook,
        [track("Checkout Started", "10:00", "ann", order_id="o1", products=[{"price": "9.50", "quantity": "2"}])],
    )

    assert (bought.data.amount, begun.data.value) == (25, 19)


def test_a_currency_in_small_letters_is_the_same(webhook: Webhook) -> None:
    _, bought = told(webhook, [track("Order Completed", "10:00", "ann", order_id="o1", total=5, currency="eur")])

    assert bought.data.currency == "EUR"


def test_null_is_nothing(webhook: Webhook) -> None:
    nothing: dict[str, Any] = {"properties": None, "traits": None, "context": None}

    assert [tag_of(one) for one in told(webhook, [call("page", "10:00", "ann", **nothing)])] == ["customer.active"]


# -- when it was ---------------------------------------------------------------------------------


def times(**told_times: str | None) -> Posted:
    return call("identify", "10:00", "ann", **told_times)


def test_the_time_is_that_of_segment_and_not_of_the_device(webhook: Webhook) -> None:
    by_device = {"originalTimestamp": clock("03:00"), "sentAt": clock("03:10"), "receivedAt": clock("12:00")}

    (corrected,) = told(webhook, [times(**by_device, timestamp=clock("11:49"))])
    (computed,) = told(webhook, [times(**by_device, timestamp=None)])

    assert f"{corrected.time:%H:%M} {computed.time:%H:%M}" == "11:49 11:50"


@pytest.mark.parametrize("lacking", ["originalTimestamp", "sentAt", "receivedAt"])
def test_without_all_three_times_there_is_none(tmp_path: Path, lacking: str) -> None:
    intake = Intake()
    known = dict.fromkeys(("originalTimestamp", "sentAt", "receivedAt"), clock("10:00")) | {lacking: None}

    assert told(webhook_in(SOURCE, tmp_path, intake), [times(**known, timestamp=None)]) == []
    assert intake.refused == {"no_time": 1}


def test_times_of_a_broken_clock_are_set_aside(tmp_path: Path) -> None:
    intake = Intake()
    known = {
        "originalTimestamp": "0001-01-01T00:00:00Z",
        "sentAt": "9999-12-31T00:00:00Z",
        "receivedAt": clock("10:00"),
    }

    assert told(webhook_in(SOURCE, tmp_path, intake), [times(**known, timestamp=None)]) == []
    assert intake.refused == {"not_an_instant": 1}


# -- what is of no use ---------------------------------------------------------------------------


def test_events_of_a_site_s_own_are_counted_as_unknown_unless_an_option_names_them(tmp_path: Path) -> None:
    own = [track("Cat Stroked", "10:00", "ann")]
    intakes = [Intake(), Intake()]

    for intake, names in zip(intakes, [(), ("Cat Stroked",)], strict=True):
        assert told(webhook_in(SOURCE, tmp_path, intake, ignored_events=names), own) == []

    assert [intake.unknown for intake in intakes] == [{"Cat Stroked": 1}, {}]
    assert intakes[1].ignored == {"Cat Stroked": 1}


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (track("Order Completed", "10:00", "ann", total=5), "order_id"),
        (track("Order Completed", "10:00", "ann", order_id="o1", total=-5), "total"),
        (track("Order Completed", "10:00", "ann", order_id="o1", total="a lot"), "total"),
        (track("Order Refunded", "10:00", "ann", order_id="o1"), "total"),
        (track("Order Completed", "10:00", "ann", order_id="o1", products=[{"price": "much"}]), "price"),
        (posted({"type": "delete", "userId": None, "timestamp": clock("10:00")}), "userId"),
        (posted({"type": "identify", "userId": "ann", "timestamp": clock("10:00")}), "messageId"),
    ],
)
def test_a_changed_field_is_named(tmp_path: Path, content: Posted, field: str) -> None:
    aside: list[str] = []
    intake = Intake(lambda bad: aside.append(bad.detail))

    assert told(webhook_in(SOURCE, tmp_path, intake), [content]) == []
    assert intake.refused == {"invalid_field": 1}
    assert field in aside[0]


# -- the recordings ------------------------------------------------------------------------------


def recorded(name: str) -> Posted:
    return Posted(sample(f"segment/{name}.json").read_bytes())


RECORDED = ("product_added", "cart_viewed", "checkout_started", "order_completed")


@pytest.mark.parametrize(
    ("carts_by", "of_carts"),
    [
        ("order_id", [("cart.checked_out", "50314b8e9bcf000000000000"), ("cart.ordered", "50314b8e9bcf000000000000")]),
        ("cart_id", [("cart.changed", "skdjsidjsdkdj29j"), ("cart.changed", "skdjsidjsdkdj29j")]),
    ],
)
def test_the_recorded_calls_tell_what_they_should(tmp_path: Path, carts_by: str, of_carts: list[Any]) -> None:
    events = told(webhook_in(SOURCE, tmp_path, carts_by=carts_by), [recorded(name) for name in RECORDED])

    found = [(tag_of(one), one.subject) for one in events]
    assert [one for one in found if one[0].startswith("cart")] == of_carts
    assert [one for one in found if one[0].startswith("customer")] == [
        *[("customer.active", "cust-1")] * 3,
        ("customer.purchased", "cust-1"),
    ]
    assert (events[-1].data.order, events[-1].data.amount) == ("50314b8e9bcf000000000000", 25)


def test_the_recorded_chat_is_left_to_the_source_of_the_chat(tmp_path: Path) -> None:
    intake = Intake()
    names = ("live_chat_conversation_started", "live_chat_message_received", "live_chat_message_sent")

    assert told(webhook_in(SOURCE, tmp_path, intake), [recorded(name) for name in names]) == []
    assert intake.ignored.total() == 3


def test_the_recorded_signature_is_good_and_any_other_body_is_not(webhook: Webhook) -> None:
    (vector,) = [one for one in json.loads(sample("vectors.json").read_text()) if one["system"] == "segment"]
    body = sample(vector["body"]).read_bytes()
    request = Received(body, {vector["header"].lower(): vector["value"]}, "https://gateway.example/", AT)

    assert webhook.verified(request)
    assert not webhook.verified(replace(request, body=body + b" "))


def test_a_batch_is_let_in_only_where_all_of_it_is_signed(webhook: Webhook) -> None:
    first, second = (json.loads(one.body) for one in DAY[:2])
    batch = json.dumps([first, second]).encode()

    def signed(header: str, text: bytes) -> Received:
        signature = signed_headers(text, SECRET)["x-signature"]
        return Received(batch, {header: signature}, "https://gateway.example/", AT)

    assert webhook.verified(signed("x-segment-signature", batch))
    assert not webhook.verified(signed("x-signature", json.dumps(first).encode()))
    assert len(told(webhook, [Posted(batch)])) == len(told(webhook, DAY[:2]))
