"""How Shopify calls."""

from stream.sources.shopify import source as shopify
from tests.sources.contract.caller import SECRET, Caller, received, secret_file
from tests.sources.shopify.shop_at_shopify import DAY, RUMOUR, signed_headers

__all__ = ["CALLER"]

CALLER = Caller(
    source=shopify.SOURCE,
    options=lambda folder: shopify.Options(secret_file=secret_file(folder)),
    signed=lambda body: received(body, signed_headers(body, SECRET)),
    bodies=[one.body for one in DAY],
    unknown=RUMOUR.body,
)
