"""How Stripe calls."""

from stream.sources.stripe import source as stripe
from tests.sources.contract.caller import SECRET, Caller, received, secret_file
from tests.sources.new_sources import BEGIN
from tests.sources.shops.calling import AT
from tests.sources.stripe.account_at_stripe import NOVEMBER, event, signed_headers

__all__ = ["CALLER"]

CALLER = Caller(
    source=stripe.SOURCE,
    options=lambda folder: stripe.Options(secret_file=secret_file(folder), address_key_file=secret_file(folder)),
    signed=lambda body: received(body, signed_headers(body, SECRET, BEGIN)),
    bodies=[one.body for one in NOVEMBER],
    unknown=event("rumour.heard", 2, {"id": "ru_1"}).body,
    at=AT,
    figures="""
contact_customer_window_joined{plan="",group="",window="month"} 5
contact_customer_window_left{plan="",group="",window="month"} 2
contact_customer_window_monthly_change{plan="",group="",window="month"} 57
contact_customer_window_purchases{plan="",group="",window="30d"} 5
contact_customer_window_revenue{plan="",group="",window="month"} 142
contact_customers{plan="",group=""} 3
""",
)
