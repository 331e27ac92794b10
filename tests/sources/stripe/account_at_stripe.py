"""An account at Stripe, and its November: what it posts, by the documented shapes."""

import hmac
from datetime import UTC, datetime
from typing import Any

from tests.sources.shops.calling import AT, Posted, posted

__all__ = ["BY_HAND", "NOVEMBER", "event", "item", "seconds", "signed_headers", "subscription"]


def seconds(day: float) -> int:
    """Return a moment of November, since 1970."""
    return round(datetime(2026, 11, 1, tzinfo=UTC).timestamp() + (day - 1) * 86_400)


def event(kind: str, day: float, obj: dict[str, Any], *, live: bool = True, **before: Any) -> Posted:
    """An event, with what was so *before* it."""
    data = {"object": obj, "previous_attributes": before} if before else {"object": obj}
    name = f"evt_{kind}_{day}_{obj['id']}".replace(".", "_")
    return posted(
        {"id": name, "object": "event", "created": seconds(day), "livemode": live, "type": kind, "data": data}
    )


def item(units: int | None, quantity: int | None = 1, interval: str = "month", **more: Any) -> dict[str, Any]:
    """One price of a subscription; fields of the price as they are, with `count`, `usage` for those of its period."""
    recurring = {
        "interval": interval,
        "interval_count": more.pop("count", 1),
        "usage_type": more.pop("usage", "licensed"),
    }
    price = {
        "id": "price_1",
        "unit_amount": units,
        "unit_amount_decimal": None if units is None else str(units),
        "recurring": recurring,
        "product": "prod_1",
        "nickname": "Marked if there is another name",
        "lookup_key": "pro",
        "transform_quantity": None,
        **more,
    }
    return {"id": "si_1", "price": price} | ({} if quantity is None else {"quantity": quantity})


def subscription(customer: str, status: str, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    listed = {"object": "list", "data": [*items], "has_more": False}
    known = {"id": f"sub_{customer}", "customer": f"cus_{customer}", "status": status, "currency": "eur"}
    return {**known, "items": listed, "ended_at": None, **more}


def invoice(number: int, customer: str, units: int) -> dict[str, Any]:
    known = {"id": f"in_{number}", "customer": f"cus_{customer}", "customer_email": "Marked@example.org"}
    return {**known, "amount_paid": units, "currency": "eur", "status": "paid"}


def charge(customer: str, refunded: int) -> dict[str, Any]:
    details = {"email": "Marked@example.org", "name": "Marked"}
    known = {"id": "ch_1", "customer": f"cus_{customer}", "billing_details": details}
    return {**known, "amount": 12000, "amount_refunded": refunded, "currency": "eur"}


def bought_once(session: str, **more: Any) -> dict[str, Any]:
    known = {"id": session, "mode": "payment", "payment_status": "paid", "amount_total": 1500, "currency": "eur"}
    return {
        **known,
        "invoice": None,
        "customer": None,
        "customer_details": {"email": "Marked.Guest@example.org"},
        **more,
    }


_CREATED, _UPDATED = "customer.subscription.created", "customer.subscription.updated"

NOVEMBER = [
    # Two seats, paid some seconds later; five from the tenth on.
    event(_CREATED, 2, subscription("ann", "incomplete", item(1000, 2))),
    event(_UPDATED, 2.0001, subscription("ann", "active", item(1000, 2)), status="incomplete"),
    event("invoice.paid", 2.0001, invoice(1, "ann", 2000)),
    event(_UPDATED, 10, subscription("ann", "active", item(1000, 5)), quantity=2),
    event("invoice.paid", 10, invoice(2, "ann", 3000)),
    # A year, of which some is paid back, in two steps; cancelled, and over on the 20th.
    event(_CREATED, 3, subscription("bob", "active", item(12000, interval="year"))),
    event("invoice.paid", 3, invoice(3, "bob", 12000)),
    event("charge.refunded", 5, charge("bob", 2000), amount_refunded=0),
    event("charge.refunded", 6, charge("bob", 5000), amount_refunded=2000),
    event(_UPDATED, 7, subscription("bob", "active", item(12000, interval="year")), cancel_at_period_end=False),
    event("customer.subscription.deleted", 20.01, subscription("bob", "canceled", ended_at=seconds(20))),
    # Two weeks on trial.
    event(_CREATED, 4, subscription("cid", "trialing", item(700))),
    event("invoice.paid", 4, invoice(4, "cid", 0)),
    event(_UPDATED, 18, subscription("cid", "active", item(700)), status="trialing"),
    event("invoice.paid", 18, invoice(5, "cid", 700)),
    # On trial, too, and then without any means to pay.
    event(_CREATED, 5, subscription("dan", "trialing", item(700))),
    event(_UPDATED, 19, subscription("dan", "paused", item(700)), status="trialing"),
    event("customer.subscription.paused", 19, subscription("dan", "paused", item(700))),
    # A guest who buys once; with an invoice it is told by that.
    event("checkout.session.completed", 8, bought_once("cs_1")),
    event("checkout.session.completed", 2, bought_once("cs_2", customer="cus_ann", invoice="in_1")),
    event("checkout.session.completed", 2, bought_once("cs_3", customer="cus_ann", mode="subscription")),
    # Of somebody who tests.
    event(_CREATED, 9, subscription("eve", "active", item(99900)), live=False),
    event("invoice.paid", 9, invoice(6, "eve", 99900), live=False),
]
"""Until the 26th, 15:00, nothing else happens."""

BY_HAND = {
    # Ann, Bob, Cid, Dan, and the guest by what was bought; Bob and Dan are gone.
    "joined": 5,
    "first_joined": 5,
    "left": 2,
    "gained": 3,
    # Ann pays 50 in a month, Cid 7; Bob's 10 came and went.
    "monthly_change": 50_00 + 7_00,
    "monthly_gained": 50_00 + 7_00,
    "purchases": 5,
    "revenue": 20_00 + 30_00 + 120_00 - 20_00 - 30_00 + 7_00 + 15_00,
}
"""What is counted of it, by hand."""


def signed_headers(body: bytes, secret: str, at: datetime = AT) -> dict[str, str]:
    """Return the headers with which a body is posted."""
    stamp = f"{at.timestamp():.0f}"
    signature = hmac.digest(secret.encode(), f"{stamp}.".encode() + body, "sha256").hex()
    return {"stripe-signature": f"t={stamp},v1={signature}"}
