"""A site whose calls Segment passes on, and its day: by the specification."""

import hmac
from typing import Any

from tests.sources.shops.calling import Posted, posted

__all__ = ["BY_HAND", "DAY", "DAY_BY_CART", "call", "clock", "signed_headers", "track"]

GUEST: dict[str, Any] = {
    "context": {"library": {"name": "analytics.js"}, "traits": {"email": "Marked.Guest@example.org"}}
}


def clock(text: str) -> str:
    return f"2026-11-26T{text}:00.000Z"


def call(kind: str, at: str, user: str | None, **more: Any) -> Posted:
    """A call; fields as they are."""
    name = f"ajs-{kind}-{at}-{user}-{more.get('event', '')}"
    known = {"type": kind, "messageId": name, "userId": user, "anonymousId": "Marked", "timestamp": clock(at)}
    return posted({**known, "version": 2, **more})


def track(event: str, at: str, user: str | None, /, told: dict[str, Any] | None = None, **properties: Any) -> Posted:
    """A call to track, with its properties; other fields are *told*."""
    return call("track", at, user, event=event, properties=properties, **(told or {}))


SOCKS: dict[str, Any] = {"product_id": "1", "name": "Marked", "price": 9.5, "quantity": 2}

DAY = [
    # Ann signs up, and buys.
    track("Signed Up", "09:00", "ann", plan="basic", monthly=9.0, currency="EUR", first_name="Marked"),
    call("identify", "09:00", "ann", traits={"email": "Marked@example.org", "plan": "basic", "name": "Marked"}),
    track("Product Added", "10:00", "ann", cart_id="k1", **SOCKS),
    track("Cart Viewed", "10:01", "ann", cart_id="k1", products=[SOCKS]),
    track("Checkout Started", "10:02", "ann", order_id="o1", value=19.0, currency="EUR", products=[SOCKS]),
    track("Order Completed", "10:10", "ann", checkout_id="c1", order_id="o1", total=25.0, revenue=19.0, currency="EUR"),
    # Bob gets as far as the till.
    track("Checkout Started", "10:30", "bob", order_id="o2", value=40.0, currency="EUR"),
    # A guest, an hour and a half later; her clock is two hours ahead, and it took her a minute to send.
    track("Checkout Started", "11:00", None, GUEST, order_id="o3", revenue="12.00", currency="EUR"),
    track(
        *("Order Completed", "12:30", None),
        {
            **GUEST,
            "timestamp": None,
            "originalTimestamp": clock("14:30"),
            "sentAt": clock("14:31"),
            "receivedAt": clock("12:31"),
        },
        order_id="o3",
        total="12.00",
        currency="EUR",
    ),
    track("Order Refunded", "13:00", "ann", order_id="o1", total=5, currency="EUR"),
    # Cid subscribes, for more and more, and not for long.
    track("Subscription Started", "09:30", "cid", plan="pro", monthly=50, currency="EUR"),
    track("Subscription Updated", "10:00", "cid", plan="pro", monthly=80, currency="EUR"),
    track("Subscription Cancelled", "14:00", "cid"),
    # Not for figures.
    call("page", "10:00", None, name="Home"),
    track("Live Chat Message Sent", "10:00", "ann", message_body="Marked", conversation_id="1"),
]
"""Until 15:00 nothing else happens."""

BY_HAND = {
    # o1, o2, o3, each from the till on.
    "carts_created": 3,
    "carts_created_value": 25_00 + 40_00 + 12_00,
    "carts_checked_out": 3,
    "carts_completed": 1,
    "carts_completed_value": 25_00,
    # o2 at 11:30, o3 at 12:00, which is ordered at 12:30 all the same.
    "carts_abandoned": 2,
    "carts_abandoned_value": 40_00 + 12_00,
    "carts_recovered": 1,
    "carts_recovered_value": 12_00,
    "purchases": 2,
    "revenue": 25_00 + 12_00 - 5_00,
    # Ann, Cid, and the guest who buys; Cid is gone again, and what he paid with him.
    "joined": 3,
    "first_joined": 3,
    "left": 1,
    "gained": 2,
    "monthly_change": 9_00,
    "monthly_gained": 9_00,
}
"""What is counted of it, by hand."""

DAY_BY_CART = [
    track("Product Added", "10:00", "ann", cart_id="k1", **SOCKS),
    track("Product Added", "10:01", "bob", cart_id="k2", **SOCKS),
    track("Cart Viewed", "10:02", "bob", cart_id="k2", products=[SOCKS, {"price": "1.00"}]),
    track("Checkout Started", "10:05", "ann", order_id="o1", cart_id="k1", value=19.0, currency="EUR"),
    track("Order Completed", "10:10", "ann", order_id="o1", cart_id="k1", total=25.0, currency="EUR"),
]


def signed_headers(body: bytes, secret: str) -> dict[str, str]:
    """Return the headers with which a body is posted."""
    return {"x-signature": hmac.digest(secret.encode(), body, "sha1").hex()}
