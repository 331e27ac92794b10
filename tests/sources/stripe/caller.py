"""How Stripe calls."""

from stream.sources.stripe import source as stripe
from tests.sources.contract.caller import SECRET, Caller, received, secret_file
from tests.sources.new_sources import BEGIN
from tests.sources.stripe.account_at_stripe import NOVEMBER, event, signed_headers

__all__ = ["CALLER"]

CALLER = Caller(
    source=stripe.SOURCE,
    options=lambda folder: stripe.Options(secret_file=secret_file(folder)),
    signed=lambda body: received(body, signed_headers(body, SECRET, BEGIN)),
    bodies=[one.body for one in NOVEMBER],
    unknown=event("rumour.heard", 2, {"id": "ru_1"}).body,
)
