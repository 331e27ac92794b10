"""A shop with WooCommerce, and its day: what it posts, by the documented shapes."""

import hmac
from base64 import b64encode
from typing import Any

from tests.sources.shops.calling import Posted, posted

__all__ = ["BY_HAND", "DAY", "PING", "RUMOUR", "order", "signed_headers", "subscription"]

PING = Posted(b"webhook_id=142")


def gmt(clock: str) -> str:
    return f"2026-11-26T{clock}:00"


def order(number: int, status: str, at: str, total: str, **more: Any) -> Posted:
    """An order that was touched *at* a time; with `created`, `paid`, `customer`, `via`, and amounts of `refunds`."""
    created, paid = more.get("created", at), more.get("paid")
    refunds = [{"id": 900 + n, "reason": "Marked", "total": f"-{one}"} for n, one in enumerate(more.get("refunds", []))]
    content = {
        "id": number,
        "status": status,
        "currency": "EUR",
        "total": total,
        "customer_id": more.get("customer", 0),
        "billing": {"email": "Marked.Guest@example.org", "first_name": "Marked"},
        "created_via": more.get("via", "checkout"),
        "date_created": "2026-11-26T23:59:59",
        "date_created_gmt": gmt(created),
        "date_modified_gmt": gmt(at),
        "date_paid_gmt": None if paid is None else gmt(paid),
        "refunds": refunds,
    }
    return posted(content, x_wc_webhook_topic="order.created" if created == at else "order.updated")


def subscription(number: int, status: str, on: str, total: str, **more: Any) -> Posted:
    """A subscription that was touched *on* a day, at ten; and `start`, `ended`, `trial`, `every`, `sku`, `customer`."""

    def ten(day: str | None) -> str:
        return "" if day is None else f"2026-{day}T10:00:00"

    period, interval = more.get("every", ("month", "1"))
    content = {
        "id": number,
        "status": status,
        "currency": "EUR",
        "total": total,
        "customer_id": more.get("customer", 31),
        "billing": {"email": "Marked.Guest@example.org", "first_name": "Marked"},
        "created_via": "checkout",
        "date_created_gmt": ten(more.get("start", on)),
        "date_modified_gmt": ten(on),
        "billing_period": period,
        "billing_interval": interval,
        "start_date_gmt": ten(more.get("start", on)),
        "trial_end_date_gmt": ten(more.get("trial")),
        "next_payment_date_gmt": "",
        "end_date_gmt": ten(more.get("ended")),
        "line_items": [{"name": "Box", "sku": more.get("sku", "")}],
    }
    return posted(content, x_wc_webhook_topic="subscription.updated")


DAY = [
    PING,
    # With checkout blocks: at the till, there for a while, and paid.
    order(100, "checkout-draft", "10:00", "30.00", via="store-api"),
    order(100, "checkout-draft", "10:04", "35.00", via="store-api", created="10:00"),
    order(100, "pending", "10:05", "35.00", via="store-api", created="10:00", customer=26),
    order(100, "processing", "10:06", "35.00", via="store-api", created="10:00", paid="10:06", customer=26),
    order(100, "completed", "14:00", "35.00", via="store-api", created="10:00", paid="10:06", customer=26),
    # A guest whose card is refused; after an hour the shop gives up.
    order(101, "pending", "10:10", "40.00"),
    order(101, "failed", "10:12", "40.00", created="10:10"),
    order(101, "cancelled", "11:10", "40.00", created="10:10"),
    # By a transfer, which comes hours later.
    order(102, "on-hold", "10:20", "50.00", customer=27),
    order(102, "processing", "13:00", "50.00", created="10:20", paid="13:00", customer=27),
    # Paid on delivery; some comes back, twice.
    order(103, "processing", "11:00", "20.00", customer=26),
    order(103, "completed", "12:00", "20.00", created="11:00", paid="12:00", customer=26),
    order(103, "completed", "13:00", "20.00", created="11:00", paid="12:00", customer=26, refunds=["5.00"]),
    order(103, "completed", "14:00", "20.00", created="11:00", paid="12:00", customer=26, refunds=["5.00", "5.00"]),
    # By telephone.
    order(104, "completed", "12:00", "99.00", paid="12:00", customer=28, via="admin"),
    # Nobody comes back to this one.
    order(105, "checkout-draft", "12:00", "10.00", via="store-api"),
]
"""Until 15:00 nothing else happens."""

BY_HAND = {
    # All orders but the one by telephone began as carts, and came to the till.
    "carts_created": 5,
    "carts_created_value": 35_00 + 40_00 + 50_00 + 20_00 + 10_00,
    "carts_checked_out": 5,
    "carts_completed": 3,
    "carts_completed_value": 35_00 + 50_00 + 20_00,
    # 101 at 11:12, 105 at 13:00.
    "carts_abandoned": 2,
    "carts_abandoned_value": 40_00 + 10_00,
    "purchases": 4,
    "revenue": 35_00 + 50_00 + 20_00 - 5_00 - 5_00 + 99_00,
    "joined": 3,
    "gained": 3,
    "first_joined": 3,
}
"""What is counted of it, by hand."""

RUMOUR = posted({"rumour": "eve"}, x_wc_webhook_topic="order.rumour")


def signed_headers(body: bytes, secret: str) -> dict[str, str]:
    """Return the headers of a request of the day, or of another one with that body."""
    told = next((one.headers for one in (*DAY, RUMOUR) if one.body == body), DAY[1].headers)
    return {**told, "x-wc-webhook-signature": b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()}
