"""How WooCommerce calls."""

from stream.sources.woocommerce import source as woocommerce
from tests.sources.contract.caller import SECRET, Caller, received, secret_file
from tests.sources.shops.calling import AT
from tests.sources.woocommerce.shop_with_woocommerce import DAY, PING, RUMOUR, signed_headers

__all__ = ["CALLER"]

CALLER = Caller(
    source=woocommerce.SOURCE,
    options=lambda folder: woocommerce.Options(secret_file=secret_file(folder), address_key_file=secret_file(folder)),
    signed=lambda body: received(body, signed_headers(body, SECRET)),
    bodies=[one.body for one in DAY if one is not PING],
    unknown=RUMOUR.body,
    at=AT,
    figures="""
contact_customer_window_carts_created{plan="",group="",window="today"} 5
contact_customer_window_carts_checked_out{plan="",group="",window="today"} 5
contact_customer_window_carts_completed{plan="",group="",window="today"} 3
contact_customer_window_carts_completed_value{plan="",group="",window="today"} 105
contact_customer_window_carts_abandoned{plan="",group="",window="today"} 2
contact_customer_window_carts_abandoned_value{plan="",group="",window="today"} 50
contact_customer_window_purchases{plan="",group="",window="today"} 4
contact_customer_window_revenue{plan="",group="",window="today"} 194
contact_customers{plan="",group=""} 3
""",
)
