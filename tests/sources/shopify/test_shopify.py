"""Shopify's day with figures computed by hand, in any order; and each topic by itself."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.core.cloudevents import tag_of
from stream.errors import SettingsError
from stream.sdk.producer import checked
from stream.sources.intake import Intake
from stream.sources.shopify.source import SOURCE
from stream.sources.source import Received, Webhook
from tests.samples import sample
from tests.sources.shopify.shop_at_shopify import BY_HAND, DAY, cart, checkout, clock, order, refund
from tests.sources.shops.calling import AT, Posted, counted, posted, told, webhook_in


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Webhook:
    return webhook_in(SOURCE, tmp_path_factory.mktemp("shopify"))


def test_the_figures_are_those_that_were_computed_by_hand(webhook: Webhook) -> None:
    assert counted(told(webhook, DAY)) == BY_HAND


@given(st.permutations([*DAY, *DAY[::2]]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_repetition_matters(webhook: Webhook, requests: list[Posted]) -> None:
    assert counted(told(webhook, requests)) == BY_HAND


def test_an_order_of_which_only_later_news_come_is_a_purchase_all_the_same(webhook: Webhook) -> None:
    lacking = [one for one in DAY if one.headers["x-shopify-topic"] != "orders/create" or b'"id": 3,' not in one.body]

    found = counted(told(webhook, lacking))

    assert len(lacking) == len(DAY) - 1
    assert {name: found[name] for name in ("purchases", "revenue")} == {"purchases": 4, "revenue": BY_HAND["revenue"]}
    # Its cart was ordered by nobody.
    assert (found["carts_completed"], found["carts_abandoned"]) == (1, 3)


def test_nothing_personal_gets_into_an_event(webhook: Webhook) -> None:
    written = b"".join(checked(event) for event in told(webhook, DAY))

    assert b"arked" not in written
    assert b"hidden" not in written


def test_guests_are_nobody_without_a_key_but_their_carts_count(tmp_path: Path) -> None:
    found = counted(told(webhook_in(SOURCE, tmp_path, address_key_file=None), DAY))

    assert found["purchases"] == BY_HAND["purchases"] - 1
    assert found["carts_recovered"] == 1


def test_by_address_customers_are_those_whom_a_mailbox_knows(tmp_path: Path) -> None:
    by_address = webhook_in(SOURCE, tmp_path, customers_by="address")
    bought = order("create", 1, "10:00", "5.00", customer=7, email="ann@example.org")
    as_guest = order("create", 2, "11:00", "5.00", email="Ann@Example.org")

    (customer,) = {event.subject for event in told(by_address, [bought, as_guest])}

    assert customer != "7"
    assert told(by_address, [order("create", 3, "11:00", "5.00", customer=7)]) == []


def test_by_address_needs_a_key(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="address_key_file"):
        webhook_in(SOURCE, tmp_path, customers_by="address", address_key_file=None)


def test_test_orders_count_where_an_option_says_so(tmp_path: Path) -> None:
    found = counted(told(webhook_in(SOURCE, tmp_path, test_orders=True), DAY))

    assert found["revenue"] == BY_HAND["revenue"] + 1000_00


def test_two_refunds_of_one_second_and_amount_are_two(webhook: Webhook) -> None:
    refunds = [refund(number, "12:00", ("success", "2.00")) for number in (1, 2)]

    assert (
        counted(told(webhook, [order("updated", 1, "10:00", "9.00", customer=7, refunds=refunds)]))["revenue"] == 5_00
    )


def test_an_imported_order_counts_when_it_was_placed(webhook: Webhook) -> None:
    imported = order("create", 1, "10:00", "9.00", customer=7, processed_at="2026-01-02T00:00:00Z")

    (event,) = told(webhook, [imported])

    assert event.time == datetime(2026, 1, 2, tzinfo=UTC)


def test_who_is_deleted_left_and_who_is_redacted_is_forgotten_when_that_was_triggered(webhook: Webhook) -> None:
    deleted = posted({"id": 7}, x_shopify_topic="customers/delete", x_shopify_triggered_at=clock("09:00"))
    asked = {"shop_id": 1, "customer": {"id": 7, "email": "a@example.org"}, "orders_to_redact": [1]}
    redacted = posted(asked, x_shopify_topic="customers/redact")

    left, forgotten, _ = told(webhook, [deleted, redacted])

    assert (tag_of(left), left.subject, left.time) == ("customer.left", "7", AT.replace(hour=9))
    assert (tag_of(forgotten), forgotten.subject, forgotten.time) == ("customer.forgotten", "7", AT)


def test_who_bought_as_a_guest_before_there_was_an_account_is_forgotten_as_both(webhook: Webhook) -> None:
    as_guest = order("create", 1, "10:00", "5.00", email="ann@example.org")
    with_account = order("create", 2, "11:00", "7.00", customer=7, email="ann@example.org")
    asked = {"customer": {"id": 7, "email": "Ann@example.org"}, "orders_to_redact": [1, 2]}

    bought = told(webhook, [as_guest, with_account])
    forgotten = told(webhook, [posted(asked, x_shopify_topic="customers/redact")])

    assert {event.subject for event in forgotten} == {event.subject for event in bought}
    # Nobody is there any more.
    assert counted([*bought, *forgotten])["left"] == 2


def test_an_order_that_is_sent_again_under_another_topic_makes_nobody_forgotten(tmp_path: Path) -> None:
    # Shopify signs the body alone.
    intake, recorded = Intake(), order("create", 1, "10:00", "5.00", customer=7)

    assert (
        told(webhook_in(SOURCE, tmp_path, intake), [Posted(recorded.body, {"x-shopify-topic": "customers/redact"})])
        == []
    )
    assert intake.refused == {"invalid_field": 1}


def test_a_refund_of_which_one_part_is_done_later_counts_each_part_once(webhook: Webhook) -> None:
    by_now = [
        order(
            "updated", 1, "10:00", "9.00", customer=7, refunds=[refund(1, "12:00", ("success", "3.00"), (then, "1.00"))]
        )
        for then in ("pending", "success", "success")
    ]

    assert counted(told(webhook, by_now))["revenue"] == 9_00 - 3_00 - 1_00


def in_both(shop: str, seen: str) -> dict[str, Any]:
    """Return an amount in the money of the shop, and in dollars as the customer saw it."""
    return {
        "shop_money": {"amount": shop, "currency_code": "EUR"},
        "presentment_money": {"amount": seen, "currency_code": "USD"},
    }


def test_what_a_customer_gets_back_in_dollars_is_told_in_the_money_of_the_shop(webhook: Webhook) -> None:
    paid = {"customer": 7, "total_price_set": in_both("90.00", "100.00"), "presentment_currency": "USD"}
    paid_back = refund(1, "12:00", ("success", "50.00"), ("success", "50.00"))
    for one in paid_back["transactions"]:
        one["currency"] = "USD"

    found = counted(told(webhook, [order("updated", 1, "10:00", "90.00", refunds=[paid_back], **paid)]))

    assert "revenue" not in found
    assert "other_currency" not in found


def test_dollars_of_which_no_rate_is_told_are_counted_apart(webhook: Webhook) -> None:
    paid_back = refund(1, "12:00", ("success", "50.00"))
    paid_back["transactions"][0]["currency"] = "USD"

    found = counted(told(webhook, [order("updated", 1, "10:00", "90.00", customer=7, refunds=[paid_back])]))

    assert (found["revenue"], found["other_currency"]) == (90_00, 1)


def test_a_cart_is_worth_what_it_is_in_the_shop_also_where_the_customer_pays_in_dollars(webhook: Webhook) -> None:
    line = {"price": "90.00", "quantity": 1, "line_price_set": in_both("90.00", "100.00")}
    times = {"created_at": clock("10:00"), "updated_at": clock("10:00")}
    begun = posted({"token": "k1", "line_items": [line], **times}, x_shopify_topic="carts/create")
    tills = [checkout("create", "c1", "10:10", "104.00", cart="k1"), checkout("create", "c2", "10:10", "50.00")]
    dollars = [
        Posted(one.body.replace(b'"currency": "EUR"', b'"currency": "EUR", "presentment_currency": "USD"'), one.headers)
        for one in tills
    ]

    found = counted(told(webhook, [begun, *dollars]))

    # What was put into no cart is in dollars only.
    assert {name: found[name] for name in ("carts_abandoned", "carts_abandoned_value", "other_currency")} == {
        "carts_abandoned": 2,
        "carts_abandoned_value": 90_00,
        "other_currency": 1,
    }


def test_a_cart_that_is_made_for_every_visitor_is_none_before_something_is_in_it(webhook: Webhook) -> None:
    assert told(webhook, [cart("create", "k", "10:00")]) == []

    (emptied,) = told(webhook, [cart("update", "k", "10:05", created="10:00")])

    assert emptied.data.value == 0


def test_what_an_administrator_sends_to_try_a_webhook_is_left_out(tmp_path: Path) -> None:
    intake = Intake()
    trial = cart("create", "k", "10:00", ("9.00", 1))
    sent = Posted(trial.body, {**trial.headers, "x-shopify-test": "true"})

    assert told(webhook_in(SOURCE, tmp_path, intake), [sent]) == []
    assert intake.ignored == {"test": 1}
    assert len(told(webhook_in(SOURCE, tmp_path, test_orders=True), [sent])) == 1
    assert (
        len(told(webhook_in(SOURCE, tmp_path), [Posted(trial.body, {**trial.headers, "x-shopify-test": "false"})])) == 1
    )


def test_a_price_with_its_currency_is_preferred_to_one_without(webhook: Webhook) -> None:
    priced = {"shop_money": {"amount": "17.50", "currency_code": "USD"}}
    line = {"price": "10.00", "quantity": 2, "line_price": "18.00"}
    asked = {"token": "k", "created_at": clock("10:00"), "updated_at": clock("10:00")}

    values = []
    for lines in ([line], [{**line, "line_price_set": priced}], []):
        (event,) = told(webhook, [posted({**asked, "line_items": lines}, x_shopify_topic="carts/update")])
        values.append((event.data.value, event.data.currency))

    assert values == [(18.0, None), (17.5, "USD"), (0.0, None)]


@pytest.mark.parametrize(
    ("request_of", "reason"),
    [
        (posted({"id": 1}, x_shopify_topic="orders/create"), "invalid_field"),
        (order("create", 1, "10:00", "free"), "invalid_field"),
        (order("create", 1, "10:00", "-1.00"), "invalid_field"),
        (order("create", 1, "10:00", "1.00", created_at="2026-11-26 10:00"), "invalid_field"),
        (order("create", 1, "10:00", "1.00", customer=1, processed_at="0001-01-01T00:00:00+14:00"), "not_an_instant"),
        (cart("create", "", "10:00"), "invalid_field"),
        (checkout("create", "c", "10:00", "1,00"), "invalid_field"),
    ],
)
def test_what_cannot_be_used_is_set_aside_with_the_reason(tmp_path: Path, request_of: Posted, reason: str) -> None:
    intake = Intake()

    assert told(webhook_in(SOURCE, tmp_path, intake), [request_of]) == []
    assert intake.refused == {reason: 1}


def test_a_topic_that_is_not_known_is_counted_by_its_name(tmp_path: Path) -> None:
    intake = Intake()

    told(webhook_in(SOURCE, tmp_path, intake), [posted({}, x_shopify_topic="carts/vanish"), posted({})])

    assert intake.unknown == {"carts/vanish": 1, "": 1}


def test_the_recorded_requests_tell_what_they_should(webhook: Webhook) -> None:
    def recorded(name: str, topic: str) -> Posted:
        return Posted(sample(f"shopify/{name}.json").read_bytes(), {"x-shopify-topic": topic})

    topics = ("carts/create", "carts/update", "checkouts/create", "orders/create")
    events = told(webhook, [recorded(topic.replace("/", "."), topic) for topic in topics])

    cart_id, customer, order_id = "eeafa272cebfd4b22385bc4b645e762c", "603851970716743426", "820982911946154508"
    assert [(tag_of(event), event.subject, f"{event.time:%H:%M}") for event in events] == [
        ("cart.created", cart_id, "18:13"),
        ("cart.changed", cart_id, "18:20"),
        ("cart.checked_out", cart_id, "23:25"),
        ("cart.changed", cart_id, "23:25"),
        ("cart.ordered", cart_id, "23:40"),
        ("customer.purchased", customer, "23:40"),
    ]
    assert [event.data.value for event in events[:5]] == [199, 398, None, 398, 403]
    assert [event.data.currency for event in events[3:]] == ["EUR", "EUR", "EUR"]
    assert (events[4].data.order, events[4].data.customer) == (order_id, customer)
    assert (events[5].data.order, events[5].data.amount) == (order_id, 403)


def test_the_recorded_signature_is_good_and_any_other_body_is_not(webhook: Webhook) -> None:
    (vector,) = [one for one in json.loads(sample("vectors.json").read_text()) if one["system"] == "shopify"]
    body = sample(vector["body"]).read_bytes()
    request = Received(body, {vector["header"].lower(): vector["value"]}, "https://gateway.example/", AT)

    assert webhook.verified(request)
    assert not webhook.verified(replace(request, body=body + b" "))
