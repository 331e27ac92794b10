"""How Segment calls."""

from stream.sources.segment import source as segment
from tests.sources.contract.caller import SECRET, Caller, received, secret_file
from tests.sources.segment.workspace import DAY, signed_headers, track
from tests.sources.shops.calling import AT

__all__ = ["CALLER"]

CALLER = Caller(
    source=segment.SOURCE,
    options=lambda folder: segment.Options(secret_file=secret_file(folder), address_key_file=secret_file(folder)),
    signed=lambda body: received(body, signed_headers(body, SECRET)),
    bodies=[one.body for one in DAY],
    unknown=track("Rumour Heard", "10:00", "ann").body,
    at=AT,
    figures="""
contact_customer_window_carts_created{plan="",group="",window="today"} 3
contact_customer_window_carts_checked_out{plan="",group="",window="today"} 3
contact_customer_window_carts_completed{plan="",group="",window="today"} 1
contact_customer_window_carts_abandoned{plan="",group="",window="today"} 2
contact_customer_window_carts_recovered{plan="",group="",window="today"} 1
contact_customer_window_purchases{plan="",group="",window="today"} 2
contact_customer_window_revenue{plan="",group="",window="today"} 32
contact_customer_window_joined{plan="",group="",window="month"} 3
contact_customer_window_left{plan="",group="",window="month"} 1
contact_customers{plan="",group=""} 2
""",
)
