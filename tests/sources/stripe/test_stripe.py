"""Stripe's November with figures computed by hand, in any order; and what is paid in a month."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stream.core.cloudevents import tag_of
from stream.sdk.producer import checked
from stream.sources.intake import Intake
from stream.sources.shops.shop import AFTER_LEAVING
from stream.sources.source import Received, Webhook
from stream.sources.stripe.source import SOURCE
from tests.samples import sample
from tests.sources.shops.calling import AT, SECRET, Posted, counted, told, webhook_in
from tests.sources.stripe.account_at_stripe import BY_HAND, NOVEMBER, event, item, seconds, signed_headers, subscription


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Webhook:
    return webhook_in(SOURCE, tmp_path_factory.mktemp("stripe"))


def test_the_figures_are_those_that_were_computed_by_hand(webhook: Webhook) -> None:
    assert counted(told(webhook, NOVEMBER), window="month") == BY_HAND


@given(st.permutations([*NOVEMBER, *NOVEMBER[::2]]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_repetition_matters(webhook: Webhook, requests: list[Posted]) -> None:
    assert counted(told(webhook, requests), window="month") == BY_HAND


@given(st.permutations(range(3)))
def test_who_changes_to_another_subscription_within_a_second_is_not_lost(webhook: Webhook, order: list[int]) -> None:
    swap = [
        event("customer.subscription.created", 2, subscription("ann", "active", item(2000))),
        event("customer.subscription.deleted", 5, subscription("ann", "canceled", item(2000), ended_at=seconds(5))),
        event("customer.subscription.created", 5, subscription("ann", "active", item(1000), id="sub_2")),
    ]

    found = counted(told(webhook, [swap[number] for number in order]), window="month")

    assert (found["gained"], found["monthly_change"]) == (1, 10_00)


def test_who_comes_back_after_a_while_is_a_customer_again(webhook: Webhook) -> None:
    lapsed = [
        event("customer.subscription.created", 2, subscription("ann", "active", item(2000))),
        event("customer.subscription.deleted", 5, subscription("ann", "canceled", item(2000), ended_at=seconds(5))),
        # The last invoice is paid when all is over: that makes nobody a customer.
        event("invoice.paid", 6, {"id": "in_1", "customer": "cus_ann", "amount_paid": 500, "currency": "eur"}),
    ]
    back = event("customer.subscription.created", 9, subscription("ann", "active", item(1000), id="sub_2"))

    gone, again = (counted(told(webhook, some), window="month") for some in (lapsed, [*lapsed, back]))

    assert (gone["joined"], gone["left"], gone.get("gained"), gone["revenue"]) == (1, 1, None, 5_00)
    assert (again["joined"], again["left"], again["gained"], again["first_joined"]) == (2, 1, 1, 1)


def test_nothing_personal_gets_into_an_event(webhook: Webhook) -> None:
    assert b"arked" not in b"".join(checked(event) for event in told(webhook, NOVEMBER))


def test_test_mode_counts_where_an_option_says_so(tmp_path: Path) -> None:
    found = counted(told(webhook_in(SOURCE, tmp_path, test_mode=True), NOVEMBER), window="month")

    assert (found["joined"], found["purchases"]) == (6, 6)


def monthly(webhook: Webhook, *items: dict[str, Any], **more: Any) -> float | None:
    (joined,) = told(
        webhook, [event("customer.subscription.created", 2, subscription("ann", "active", *items, **more))]
    )
    paid: float | None = joined.data.monthly
    return paid


@pytest.mark.parametrize(
    ("items", "paid"),
    [
        ([item(2000)], 20.0),
        ([item(2000, 3)], 60.0),
        ([item(12000, interval="year")], 10.0),
        ([item(24000, 2, interval="year", count=2)], 20.0),
        ([item(6000, count=3)], 20.0),
        ([item(700, interval="week")], 30.42),  # 365 / 84 weeks in a month
        ([item(100, interval="day")], 30.42),
        ([item(1000), item(500, 2)], 20.0),
        ([item(None, unit_amount_decimal="0.5", quantity=1000)], 5.0),
        # 50 seats in packages of 20: three are sold, or two are full.
        ([item(1000, 50, transform_quantity={"divide_by": 20, "round": "up"})], 30.0),
        ([item(1000, 50, transform_quantity={"divide_by": 20, "round": "down"})], 20.0),
        # What is paid by use is known afterwards.
        ([item(1000), item(1, None, usage="metered")], 10.0),
        # Of tiers no price is told.
        ([item(1000), item(None)], None),
        ([], 0.0),
    ],
)
def test_what_is_paid_in_a_month_is_what_all_prices_come_to(
    webhook: Webhook, items: list[dict[str, Any]], paid: float | None
) -> None:
    assert monthly(webhook, *items) == paid


@pytest.mark.parametrize(
    ("currency", "paid"), [("jpy", 2000.0), ("kwd", 2.0), ("ugx", 20.0), ("isk", 20.0), ("eur", 20.0)]
)
def test_the_smallest_unit_is_that_of_the_currency(webhook: Webhook, currency: str, paid: float) -> None:
    assert monthly(webhook, item(2000), currency=currency) == paid


def test_a_list_of_prices_that_goes_on_elsewhere_tells_no_sum(webhook: Webhook) -> None:
    assert monthly(webhook, items={"data": [item(2000)], "has_more": True}) is None


@pytest.mark.parametrize(
    ("was", "status", "happened"),
    [
        ("incomplete", "active", ["customer.joined"]),
        ("paused", "active", ["customer.joined"]),
        ("unpaid", "active", ["customer.joined"]),
        ("active", "past_due", ["customer.changed"]),
        ("trialing", "active", ["customer.changed"]),
        ("past_due", "unpaid", ["customer.left"]),
        ("trialing", "paused", ["customer.left"]),
        ("incomplete", "incomplete_expired", []),
    ],
)
def test_a_customer_is_there_as_long_as_the_subscription_is_good(
    webhook: Webhook, was: str, status: str, happened: list[str]
) -> None:
    changed = event("customer.subscription.updated", 3, subscription("ann", status, item(2000)), status=was)

    assert [tag_of(one) for one in told(webhook, [changed])] == happened


def test_a_status_that_is_not_known_is_set_aside(tmp_path: Path) -> None:
    intake = Intake()

    assert (
        told(
            webhook_in(SOURCE, tmp_path, intake), [event("customer.subscription.created", 2, subscription("a", "new"))]
        )
        == []
    )
    assert intake.refused == {"unknown_status": 1}


def test_a_refund_without_what_was_before_is_all_of_it(webhook: Webhook) -> None:
    charge = {"id": "ch_1", "customer": "cus_1", "amount_refunded": 900, "currency": "usd"}

    (refunded,) = told(webhook, [event("charge.refunded", 5, charge)])

    assert (refunded.subject, refunded.data.amount, refunded.data.currency) == ("cus_1", 9.0, "USD")


def test_without_a_key_a_guest_is_nobody(tmp_path: Path) -> None:
    found = counted(told(webhook_in(SOURCE, tmp_path, address_key_file=None), NOVEMBER), window="month")

    assert found["purchases"] == BY_HAND["purchases"] - 1


def test_a_changed_field_is_named_and_an_unknown_kind_counted(tmp_path: Path) -> None:
    aside: list[str] = []
    intake = Intake(lambda bad: aside.append(bad.detail))
    webhook = webhook_in(SOURCE, tmp_path, intake)
    changed = event("invoice.paid", 3, {"id": "in_1", "customer": "cus_1", "amount_paid": "12.00", "currency": "eur"})

    assert told(webhook, [changed, event("invoice.vanished", 3, {"id": "in_1"})]) == []
    assert (intake.refused, intake.unknown) == ({"invalid_field": 1}, {"invoice.vanished": 1})
    assert "amount_paid" in aside[0]


def test_milliseconds_are_not_taken_for_seconds(tmp_path: Path) -> None:
    intake = Intake()
    late = json.loads(NOVEMBER[1].body) | {"created": seconds(2) * 1000}

    assert told(webhook_in(SOURCE, tmp_path, intake), [Posted(json.dumps(late).encode())]) == []
    assert intake.refused == {"invalid_field": 1}


# -- the recordings ------------------------------------------------------------------------------


def recorded(name: str, *, live: bool = True) -> Posted:
    content = json.loads(sample(f"stripe/{name}.json").read_bytes())
    return Posted(json.dumps(content | {"livemode": live}).encode())


RECORDED = ("customer.created", "customer.subscription.created", "customer.subscription.updated", "invoice.paid")


def test_the_recorded_events_are_of_test_mode_and_count_only_where_an_option_says_so(tmp_path: Path) -> None:
    of_tests = [recorded(name, live=False) for name in (*RECORDED, "customer.subscription.deleted", "charge.refunded")]

    assert told(webhook_in(SOURCE, tmp_path), of_tests) == []
    assert len(told(webhook_in(SOURCE, tmp_path, test_mode=True), of_tests)) == 3


def test_the_recorded_events_tell_what_they_should(webhook: Webhook) -> None:
    events = told(webhook, [recorded(name) for name in (*RECORDED, "customer.subscription.deleted", "charge.refunded")])

    created, ended = datetime(2009, 2, 13, 23, 31, 30, tzinfo=UTC), datetime(2026, 11, 18, 11, 6, 40, tzinfo=UTC)
    # Nothing was paid by the invoice; and the charge has no customer, but an address that is null.
    assert [(tag_of(one), one.subject, one.time) for one in events] == [
        ("customer.joined", "cus_QXg1o8vcGmoR32", created + AFTER_LEAVING),
        ("customer.changed", "cus_QXg1o8vcGmoR32", created + AFTER_LEAVING),
        ("customer.left", "cus_QXg1o8vcGmoR32", ended),
    ]
    # In packages of 1,592,560,163 of which only full ones are paid, one costs nothing: so says the recording.
    assert [(one.data.plan, one.data.monthly, one.data.currency) for one in events[:2]] == [
        ("prod_QXg1hqf4jFNsqG", 0, "USD")
    ] * 2


def test_the_recorded_subscription_without_its_packages_costs_twenty(webhook: Webhook) -> None:
    content = json.loads(recorded("customer.subscription.created").body)
    content["data"]["object"]["items"]["data"][0]["price"]["transform_quantity"] = None

    (joined,) = told(webhook, [Posted(json.dumps(content).encode())])

    assert joined.data.monthly == 20


# -- who sends -----------------------------------------------------------------------------------


def signed(body: bytes, header: str, at: datetime) -> Received:
    return Received(body, {"stripe-signature": header}, "https://gateway.example/", at)


def test_the_recorded_signature_is_good_for_five_minutes(webhook: Webhook) -> None:
    (vector,) = [one for one in json.loads(sample("vectors.json").read_text()) if one["system"] == "stripe"]
    signed_at = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
    request = signed(sample(vector["body"]).read_bytes(), vector["value"], signed_at)

    good = [replace(request, at=signed_at + timedelta(minutes=late)) for late in (-5, 0, 5)]
    stale = [replace(request, at=signed_at + timedelta(minutes=late)) for late in (-5.1, 5.1)]
    assert [webhook.verified(one) for one in good] == [True] * 3
    assert [webhook.verified(one) for one in stale] == [False] * 2
    assert not webhook.verified(replace(request, body=request.body + b" "))


BODY = NOVEMBER[0].body
GOOD = signed_headers(BODY, SECRET)["stripe-signature"]
STAMP, _, SIGNATURE = GOOD.partition(",")


@pytest.mark.parametrize(
    "header",
    [
        GOOD,
        f"{STAMP},v1={'0' * 64},{SIGNATURE}",  # while a secret is replaced there are two
        f"{STAMP},{SIGNATURE},v0={'0' * 64}",
        f"{STAMP}, {SIGNATURE}",
    ],
)
def test_of_several_signatures_one_has_to_be_good(webhook: Webhook, header: str) -> None:
    assert webhook.verified(signed(BODY, header, AT))


@pytest.mark.parametrize(
    "header",
    [
        f"{STAMP},v0={SIGNATURE[3:]}",  # another scheme
        f"{STAMP},t=1,{SIGNATURE}",
        f"{STAMP},v1=",
        STAMP,
        SIGNATURE,
        f"t=x,{SIGNATURE}",
        "",
        f"{STAMP},{'v1=0,' * 20}{SIGNATURE}",
    ],
)
def test_no_other_header_lets_anybody_in(webhook: Webhook, header: str) -> None:
    assert not webhook.verified(signed(BODY, header, AT))


def test_the_tolerance_is_an_option(tmp_path: Path) -> None:
    strict = webhook_in(SOURCE, tmp_path, tolerance_seconds=10)

    assert not strict.verified(signed(BODY, GOOD, AT + timedelta(seconds=11)))
