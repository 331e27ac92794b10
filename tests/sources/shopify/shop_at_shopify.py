"""A shop at Shopify, and its day: what it posts, by the documented shapes."""

import hmac
from base64 import b64encode
from typing import Any

from tests.sources.shops.calling import Posted, posted

__all__ = ["BY_HAND", "DAY", "RUMOUR", "cart", "checkout", "order", "refund", "signed_headers"]


def clock(text: str) -> str:
    """Return a time of the day as Shopify writes it: of a shop that is five hours behind."""
    hours, minutes = map(int, text.split(":"))
    return f"2026-11-26T{hours - 5:02}:{minutes:02}:00-05:00"


def cart(topic: str, token: str, at: str, *prices: tuple[str, int], created: str | None = None) -> Posted:
    """A cart with some of each price."""
    items = [{"id": n, "price": price, "quantity": many, "title": "Marked"} for n, (price, many) in enumerate(prices)]
    times = {"created_at": clock(created or at), "updated_at": clock(at)}
    content = {"id": token, "token": token, "line_items": items, "note": None, **times}
    return posted(content, x_shopify_topic=f"carts/{topic}")


def person(customer: int | None, email: str | None) -> dict[str, Any]:
    known = None if customer is None else {"id": customer, "email": email, "first_name": "Marked"}
    return {"customer": known, "email": email}


def checkout(
    topic: str, token: str, at: str, total: str, *, cart: str | None = None, created: str | None = None, **of: Any
) -> Posted:
    """A customer at the till, with `customer` and `email`."""
    content = {
        "id": 981820079255243537,
        "token": token,
        "cart_token": cart,
        "created_at": clock(created or at),
        "updated_at": clock(at),
        "completed_at": None,
        "total_price": total,
        "currency": "EUR",
        **person(of.get("customer"), of.get("email")),
    }
    return posted(content, x_shopify_topic=f"checkouts/{topic}")


def order(topic: str, number: int, at: str, total: str, **more: Any) -> Posted:
    """An order, with `customer`, `email`, and other fields as they are."""
    content = {
        "id": number,
        "created_at": clock(at),
        "processed_at": clock(at),
        "cart_token": None,
        "checkout_token": None,
        "total_price": total,
        "currency": "EUR",
        "test": False,
        "financial_status": "paid",
        "cancelled_at": None,
        "refunds": [],
        **person(more.pop("customer", None), more.pop("email", None)),
        **more,
    }
    return posted(content, x_shopify_topic=f"orders/{topic}")


def refund(number: int, at: str, *amounts: tuple[str, str]) -> dict[str, Any]:
    """A refund, with the status of each transaction and its amount."""
    paid = [
        {"id": 10 * number + n, "kind": "refund", "status": status, "amount": amount, "currency": "EUR"}
        for n, (status, amount) in enumerate(amounts)
    ]
    return {"id": number, "created_at": clock(at), "processed_at": clock(at), "transactions": paid}


GUEST = {"email": "Marked.Guest@example.org"}

DAY = [
    # In two steps to the till, and through.
    cart("create", "k1", "10:00", ("30.00", 1)),
    cart("update", "k1", "10:05", ("30.00", 2), created="10:00"),
    checkout("create", "c1", "10:10", "65.00", cart="k1"),
    checkout("update", "c1", "10:11", "65.00", cart="k1", created="10:10", customer=7),
    order("create", 1, "10:12", "65.00", customer=7, cart_token="k1", checkout_token="c1"),
    order("paid", 1, "10:12", "65.00", customer=7, cart_token="k1", checkout_token="c1"),
    # Never to the till.
    cart("create", "k2?key=hidden", "10:00", ("50.00", 1)),
    # A guest who comes back, an hour and a half later.
    cart("create", "k3", "10:20", ("20.00", 1)),
    checkout("create", "c3", "10:30", "22.00", cart="k3", **GUEST),
    order("create", 2, "12:00", "22.00", cart_token="k3", checkout_token="c3", **GUEST),
    # At once, without a cart; and some of it is paid back.
    checkout("create", "c4", "10:40", "10.00", customer=7),
    order("create", 3, "10:41", "10.00", customer=7, checkout_token="c4"),
    posted({"id": 31, "order_id": 3, "transactions": []}, x_shopify_topic="refunds/create"),
    order(
        *("updated", 3, "10:41", "10.00"),
        customer=7,
        checkout_token="c4",
        refunds=[refund(31, "13:00", ("success", "3.00"), ("success", "1.00"), ("failure", "2.00"))],
    ),
    # Of somebody who tests the shop.
    order("create", 4, "11:00", "1000.00", customer=9, test=True),
    # On account, and cancelled before it was paid.
    order("create", 5, "10:50", "99.00", customer=8, financial_status="pending"),
    order("cancelled", 5, "10:50", "99.00", customer=8, financial_status="voided", cancelled_at=clock("14:00")),
]
"""Until 15:00 nothing else happens."""

BY_HAND = {
    # Carts k1, k2, k3, and the checkout c4 that had none.
    "carts_created": 4,
    "carts_created_value": 65_00 + 50_00 + 22_00 + 10_00,
    "carts_checked_out": 3,
    "carts_completed": 2,
    "carts_completed_value": 65_00 + 10_00,
    # k2 and k3, after an hour each; k3 was worth what was asked at the till.
    "carts_abandoned": 2,
    "carts_abandoned_value": 50_00 + 22_00,
    "carts_recovered": 1,
    "carts_recovered_value": 22_00,
    # Orders 1, 2, 3 and 5; of 3 a part is paid back, of 5 all.
    "purchases": 4,
    "revenue": 65_00 + 22_00 + 10_00 - 4_00 + 99_00 - 99_00,
    # Customers 7 and 8, and the guest: whoever buys is one.
    "joined": 3,
    "gained": 3,
    "first_joined": 3,
}
"""What is counted of it, by hand."""

RUMOUR = posted({"rumour": "eve"}, x_shopify_topic="carts/rumour")


def signed_headers(body: bytes, secret: str) -> dict[str, str]:
    """Return the headers of a request of the day, or of another one with that body."""
    signature = b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()
    told = next((one.headers for one in (*DAY, RUMOUR) if one.body == body), DAY[0].headers)
    return {**told, "x-shopify-hmac-sha256": signature}
