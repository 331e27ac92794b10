"""A day of WooCommerce with figures computed by hand, in any order; its ping; and who sends."""

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
from stream.sources.requests.answering import answer
from stream.sources.source import Received, Webhook
from stream.sources.woocommerce.source import SOURCE
from tests.samples import sample
from tests.sources.contract.sinks import Topic
from tests.sources.shops.calling import AT, SECRET, Posted, counted, posted, told, webhook_in
from tests.sources.woocommerce.shop_with_woocommerce import BY_HAND, DAY, PING, order, signed_headers, subscription

URL = "https://gateway.example/v1/webhooks/shop"


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Webhook:
    return webhook_in(SOURCE, tmp_path_factory.mktemp("woocommerce"))


def test_the_figures_are_those_that_were_computed_by_hand(webhook: Webhook) -> None:
    assert counted(told(webhook, DAY)) == BY_HAND


@given(st.permutations([*DAY, *DAY[::2]]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_repetition_matters(webhook: Webhook, requests: list[Posted]) -> None:
    assert counted(told(webhook, requests)) == BY_HAND


def test_nothing_personal_gets_into_an_event(webhook: Webhook) -> None:
    assert b"arked" not in b"".join(checked(event) for event in told(webhook, DAY))


def test_ids_have_the_prefix_of_their_shop(webhook: Webhook, tmp_path: Path) -> None:
    other = webhook_in(SOURCE, tmp_path, id_prefix="berlin/")

    subjects = [{event.subject for event in told(one, [DAY[4]])} for one in (webhook, other)]

    assert subjects == [{"woocommerce/26", "woocommerce/100"}, {"berlin/26", "berlin/100"}]


def test_a_guest_is_known_by_address_with_a_key_and_nobody_without(webhook: Webhook, tmp_path: Path) -> None:
    bought = [order(1, "processing", "10:00", "5.00")]

    assert counted(told(webhook, bought))["purchases"] == 1
    found = counted(told(webhook_in(SOURCE, tmp_path, address_key_file=None), bought))
    assert (found.get("purchases"), found["carts_completed"]) == (None, 1)


def test_by_address_guests_and_members_are_the_same_person(tmp_path: Path) -> None:
    by_address = webhook_in(SOURCE, tmp_path, customers_by="address")
    bought = [order(1, "processing", "10:00", "5.00"), order(2, "processing", "11:00", "5.00", customer=26)]

    assert counted(told(by_address, bought))["joined"] == 1


@pytest.mark.parametrize(
    ("status", "happened"),
    [
        ("checkout-draft", ["cart.checked_out", "cart.changed"]),
        ("pending", ["cart.checked_out", "cart.changed"]),
        ("failed", ["cart.checked_out", "cart.changed"]),
        ("on-hold", ["cart.checked_out", "cart.ordered"]),
        ("processing", ["cart.checked_out", "cart.ordered", "customer.purchased"]),
        ("refunded", ["cart.checked_out", "cart.ordered", "customer.purchased"]),
        ("cancelled", []),
        ("trash", []),
        ("of-a-plugin", []),
    ],
)
def test_how_far_an_order_came_its_status_tells(webhook: Webhook, status: str, happened: list[str]) -> None:
    assert [tag_of(one) for one in told(webhook, [order(1, status, "10:00", "5.00", customer=26)])] == happened


def test_what_is_paid_is_bought_whatever_a_plugin_calls_that(webhook: Webhook) -> None:
    events = told(webhook, [order(1, "shipped", "10:00", "5.00", customer=26, paid="10:00")])

    assert [tag_of(one) for one in events] == ["cart.checked_out", "cart.ordered", "customer.purchased"]


def test_who_is_deleted_left(webhook: Webhook) -> None:
    (left,) = told(webhook, [posted({"id": 26}, x_wc_webhook_topic="customer.deleted")])

    assert (tag_of(left), left.subject, left.time) == ("customer.left", "woocommerce/26", AT)


@pytest.mark.parametrize(
    "content",
    [
        # What a webhook sends whose user may not see orders.
        {"code": "woocommerce_rest_cannot_view", "message": "Sorry", "data": {"status": 401}},
        json.loads(DAY[1].body) | {"total": "many"},
        json.loads(DAY[1].body) | {"date_created_gmt": "2026-11-26T10:00:00+01:00"},
    ],
)
def test_what_cannot_be_used_is_set_aside_with_the_field(tmp_path: Path, content: object) -> None:
    aside: list[str] = []
    intake = Intake(lambda bad: aside.append(bad.detail))

    requests = [posted(content, x_wc_webhook_topic="order.created"), posted({}, x_wc_webhook_topic="order.vanished")]
    assert told(webhook_in(SOURCE, tmp_path, intake), requests) == []
    assert (intake.refused, intake.unknown) == ({"invalid_field": 1}, {"order.vanished": 1})
    assert any(name in aside[0] for name in ("`id`", "$.total", "$.date_created_gmt"))


def test_a_transfer_that_never_comes_is_no_purchase(webhook: Webhook) -> None:
    waiting = order(1, "on-hold", "10:00", "50.00", customer=27)
    given_up = order(1, "cancelled", "14:00", "50.00", created="10:00", customer=27)

    found = counted(told(webhook, [waiting, given_up]))

    assert (found["carts_completed"], found.get("purchases"), found.get("joined")) == (1, None, None)


def test_an_order_that_was_made_anonymous_is_nobody_s_second_purchase(webhook: Webhook) -> None:
    # As WooCommerce leaves it where somebody asked to be erased, or after the time that a shop keeps orders.
    bought = order(1, "completed", "10:00", "50.00", customer=27, paid="10:00")
    erased = json.loads(bought.body) | {"customer_id": 0, "billing": {"email": "deleted@site.invalid"}}

    found = counted(told(webhook, [bought, posted(erased, x_wc_webhook_topic="order.updated")]))

    assert (found["purchases"], found["revenue"], found["joined"], found["carts_completed"]) == (1, 50_00, 1, 1)


def test_an_order_that_is_sent_again_under_another_topic_deletes_nobody(tmp_path: Path) -> None:
    # WooCommerce signs the body alone, and orders and customers have the same small numbers.
    intake, recorded = Intake(), order(26, "processing", "10:00", "5.00")

    sent = Posted(recorded.body, {"x-wc-webhook-topic": "customer.deleted"})
    assert told(webhook_in(SOURCE, tmp_path, intake), [sent]) == []
    assert intake.refused == {"invalid_field": 1}


# -- subscriptions -------------------------------------------------------------------------------

LAPSED = [
    # Two weeks to try, then ten a month; paused for its payment each time; cancelled to the end of the month.
    subscription(50, "pending", "09-01", "10.00"),
    subscription(50, "active", "09-01", "10.00", trial="09-15"),
    subscription(50, "on-hold", "09-15", "10.00", start="09-01", trial="09-15"),
    subscription(50, "active", "09-16", "10.00", start="09-01", trial="09-15"),
    subscription(50, "pending-cancel", "09-20", "10.00", start="09-01", trial="09-15", ended="10-15"),
    subscription(50, "cancelled", "10-15", "10.00", start="09-01", trial="09-15", ended="10-15"),
    # Back again a month later, with another number, for a year at once.
    subscription(61, "active", "11-10", "96.00", every=("year", "1"), sku="box-year"),
    # Somebody else, twice a quarter, whose last payment was the last.
    subscription(70, "active", "09-05", "30.00", every=("month", "3"), customer=32),
    subscription(70, "expired", "11-05", "30.00", start="09-05", ended="11-05", every=("month", "3"), customer=32),
]


@given(st.permutations([*LAPSED, *LAPSED[::2]]))
@settings(max_examples=40, deadline=None)
def test_who_lets_a_subscription_lapse_is_lost_and_may_come_back(webhook: Webhook, requests: list[Posted]) -> None:
    events = told(webhook, requests)

    assert {event.data.plan for event in events if tag_of(event) == "customer.changed"} == {"Box", "box-year"}
    # Of November: one back, for eight a month, and one lost, with ten.
    assert counted(events, window="month") == {
        "joined": 1,
        "gained": 1,
        "left": 1,
        "lost": 1,
        "monthly_change": 8_00 - 10_00,
        "monthly_gained": 8_00,
        "monthly_lost": 10_00,
    }


@pytest.mark.parametrize(
    ("every", "monthly"), [(("month", "2"), 15), (("year", 1), 2.5), (("week", "1"), 130.36), (("day", "30"), 30.42)]
)
def test_what_is_paid_in_a_month_follows_from_period_and_interval(
    webhook: Webhook, every: tuple[str, Any], monthly: float
) -> None:
    _, changed = told(webhook, [subscription(50, "active", "11-01", "30.00", every=every)])

    assert changed.data.monthly == monthly


# -- the ping ------------------------------------------------------------------------------------


async def test_a_ping_without_signature_is_answered_with_200_and_tells_nothing(tmp_path: Path) -> None:
    intake, topic = Intake(), Topic()
    webhook = webhook_in(SOURCE, tmp_path, intake)

    # 204 would do for anything else, and not for a ping.
    assert (await answer(webhook, Received(PING.body, {}, URL, AT), topic, intake)).status == 200
    assert (topic.events, intake.ignored) == ([], {"ping": 1})


@pytest.mark.parametrize("body", [b"webhook_id=", b"webhook_id=1&x=2", b"webhook_id=one", b"x\nwebhook_id=1", b"{}"])
async def test_nothing_that_looks_like_a_ping_gets_in_without_a_signature(tmp_path: Path, body: bytes) -> None:
    intake, topic = Intake(), Topic()

    reply = await answer(webhook_in(SOURCE, tmp_path, intake), Received(body, {}, URL, AT), topic, intake)

    assert (reply.status, intake.refused) == (401, {"not_verified": 1})


async def test_an_order_is_answered_with_200_and_with_503_while_it_cannot_arrive(tmp_path: Path) -> None:
    intake, topic = Intake(), Topic(away=1)
    webhook = webhook_in(SOURCE, tmp_path, intake)
    request = Received(DAY[4].body, signed_headers(DAY[4].body, SECRET), URL, AT)

    assert [(await answer(webhook, request, topic, intake)).status for _ in range(2)] == [503, 200]


# -- the recordings ------------------------------------------------------------------------------


def test_the_recorded_order_tells_what_it_should(webhook: Webhook) -> None:
    events = told(
        webhook,
        [Posted(sample("woocommerce/order.created.json").read_bytes(), {"x-wc-webhook-topic": "order.created"})],
    )

    assert [(tag_of(one), one.subject, f"{one.time:%H:%M:%S}") for one in events] == [
        ("cart.checked_out", "woocommerce/727", "18:13:20"),
        ("cart.ordered", "woocommerce/727", "18:13:21"),
        ("customer.purchased", "woocommerce/26", "18:13:21"),
    ]
    assert (events[2].data.order, events[2].data.amount, events[2].data.currency) == ("woocommerce/727", 29.35, "EUR")


def test_the_recorded_ping_and_signature_are_good(webhook: Webhook) -> None:
    (vector,) = [one for one in json.loads(sample("vectors.json").read_text()) if one["system"] == "woocommerce"]
    request = Received(sample(vector["body"]).read_bytes(), {vector["header"].lower(): vector["value"]}, URL, AT)

    assert webhook.verified(request)
    assert not webhook.verified(replace(request, body=request.body + b" "))
    assert webhook.verified(Received(sample("woocommerce/ping_body.txt").read_bytes(), {}, URL, AT))
