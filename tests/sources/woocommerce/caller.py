"""How WooCommerce calls."""

from stream.sources.woocommerce import source as woocommerce
from tests.sources.contract.caller import SECRET, Caller, received, secret_file
from tests.sources.woocommerce.shop_with_woocommerce import DAY, PING, RUMOUR, signed_headers

__all__ = ["CALLER"]

CALLER = Caller(
    source=woocommerce.SOURCE,
    options=lambda folder: woocommerce.Options(secret_file=secret_file(folder)),
    signed=lambda body: received(body, signed_headers(body, SECRET)),
    bodies=[one.body for one in DAY if one is not PING],
    unknown=RUMOUR.body,
)
