"""How Shopify calls."""

from stream.sources.shopify import source as shopify
from tests.sources.contract.caller import SECRET, Caller, received, secret_file
from tests.sources.shopify.shop_at_shopify import DAY, RUMOUR, signed_headers
from tests.sources.shops.calling import AT

__all__ = ["CALLER"]

CALLER = Caller(
    source=shopify.SOURCE,
    options=lambda folder: shopify.Options(secret_file=secret_file(folder), address_key_file=secret_file(folder)),
    signed=lambda body: received(body, signed_headers(body, SECRET)),
    bodies=[one.body for one in DAY],
    unknown=RUMOUR.body,
    at=AT,
    figures="""
contact_customer_window_carts_created{plan="",group="",window="today"} 4
contact_customer_window_carts_checked_out{plan="",group="",window="today"} 3
contact_customer_window_carts_completed{plan="",group="",window="today"} 2
contact_customer_window_carts_completed_value{plan="",group="",window="today"} 75
contact_customer_window_carts_abandoned{plan="",group="",window="today"} 2
contact_customer_window_carts_abandoned_value{plan="",group="",window="today"} 72
contact_customer_window_carts_recovered{plan="",group="",window="today"} 1
contact_customer_window_purchases{plan="",group="",window="today"} 4
contact_customer_window_revenue{plan="",group="",window="today"} 93
contact_customers{plan="",group=""} 3
""",
)
