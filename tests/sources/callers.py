"""Systems that call a webhook: what each sends, in its order, signed as it signs."""

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from stream.sources.amazon_connect import source as amazon_connect
from stream.sources.genesys_cloud import source as genesys_cloud
from stream.sources.mapped.source import MAPPED_WEBHOOK, MappedWebhookOptions
from stream.sources.segment import source as segment
from stream.sources.shopify import source as shopify
from stream.sources.source import Received, Source
from stream.sources.stripe import source as stripe
from stream.sources.twilio import source as twilio
from stream.sources.woocommerce import source as woocommerce
from tests.sources.amazon_connect.aws import contact_events, contact_record, firehose
from tests.sources.amazon_connect.test_connect_golden import DAY as CALLS_OF_CONNECT
from tests.sources.genesys_cloud.organization import DAY
from tests.sources.mapped.examples import HOME_MADE, PAYLOADS, signed_headers
from tests.sources.new_sources import BEGIN, DESK, DeskOptions
from tests.sources.segment import workspace
from tests.sources.shopify import shop_at_shopify
from tests.sources.stripe import account_at_stripe
from tests.sources.woocommerce import shop_with_woocommerce

__all__ = ["CALLERS", "Caller"]

URL: Final = "https://events.example.org/v1/webhooks/one"

SECRET: Final = "a-secret-of-the-tests"


class Caller(Struct, frozen=True, kw_only=True):
    """How one system calls; its secret is SECRET."""

    source: Source
    options: Callable[[Path], Struct]
    """Of the source, with files in the folder that is given."""
    signed: Callable[[bytes], Received]
    bodies: Sequence[bytes]
    """What it sends when somebody calls, as it was recorded or documented."""


def received(body: bytes, headers: Mapping[str, str]) -> Received:
    return Received(body, headers, URL, BEGIN)


def secret_file(folder: Path) -> Path:
    """Write the secret of a sender to a file."""
    path = folder / "secret"
    path.write_text(f"{SECRET}\n", encoding="utf-8")
    return path


def _desk(body: bytes) -> Received:
    return received(body, {"x-signature": hmac.new(b"secret", body, hashlib.sha256).hexdigest()})


def _twilio(body: bytes) -> Received:
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = b64encode(hmac.digest(SECRET.encode(), url.encode(), "sha1")).decode()
    return replace(received(body, {"content-type": "application/json", "x-twilio-signature": signature}), url=url)


def _streamed(number: int, kind: str, **said: str) -> bytes:
    time = f"{BEGIN:%Y-%m-%dT%H:%M:%S}.{number:03}Z"
    payload = {"timestamp": time, "task_sid": "WT1", "task_queue_name": "sales", "task_attributes": "{}"} | said
    event = {"type": f"com.twilio.taskrouter.{kind}", "id": f"EZ{number}", "time": time, "data": {"payload": payload}}
    return json.dumps([event]).encode()


def _with_a_key(body: bytes) -> Received:
    return received(body, {"x-api-key": SECRET})


CALLERS: Final = {
    "amazon-connect": Caller(
        source=amazon_connect.SOURCE,
        options=lambda folder: amazon_connect.Options(key_file=secret_file(folder)),
        signed=_with_a_key,
        bodies=[
            *(json.dumps(event).encode() for call in CALLS_OF_CONNECT for event in contact_events(call)),
            firehose(*map(contact_record, CALLS_OF_CONNECT)).body,
        ],
    ),
    "desk": Caller(
        source=DESK,
        options=lambda _: DeskOptions(),
        signed=_desk,
        bodies=[b'{"call": "ann"}', b'{"call": "bob"}'],
    ),
    "twilio": Caller(
        source=twilio.SOURCE,
        options=lambda folder: twilio.Options(token_file=secret_file(folder)),
        signed=_twilio,
        bodies=[
            _streamed(1, "task-queue.entered"),
            _streamed(2, "reservation.accepted", worker_sid="WK1"),
            _streamed(3, "task.completed"),
        ],
    ),
    "genesys-cloud": Caller(
        source=genesys_cloud.SOURCE,
        options=lambda folder: genesys_cloud.Options(key_file=secret_file(folder)),
        signed=lambda body: received(body, {"x-api-key": SECRET, "content-type": "application/json"}),
        bodies=[json.dumps(part).encode() for part in DAY],
    ),
    "mapped-webhook": Caller(
        source=MAPPED_WEBHOOK,
        options=lambda folder: MappedWebhookOptions(mapping=HOME_MADE, key_file=secret_file(folder)),
        signed=lambda body: received(body, signed_headers(body, SECRET, BEGIN)),
        bodies=PAYLOADS,
    ),
    "shopify": Caller(
        source=shopify.SOURCE,
        options=lambda folder: shopify.Options(secret_file=secret_file(folder)),
        signed=lambda body: received(body, shop_at_shopify.signed_headers(body, SECRET)),
        bodies=[one.body for one in shop_at_shopify.DAY],
    ),
    "stripe": Caller(
        source=stripe.SOURCE,
        options=lambda folder: stripe.Options(secret_file=secret_file(folder)),
        signed=lambda body: received(body, account_at_stripe.signed_headers(body, SECRET, BEGIN)),
        bodies=[one.body for one in account_at_stripe.NOVEMBER],
    ),
    "woocommerce": Caller(
        source=woocommerce.SOURCE,
        options=lambda folder: woocommerce.Options(secret_file=secret_file(folder)),
        signed=lambda body: received(body, shop_with_woocommerce.signed_headers(body, SECRET)),
        bodies=[one.body for one in shop_with_woocommerce.DAY[1:]],
    ),
    "segment": Caller(
        source=segment.SOURCE,
        options=lambda folder: segment.Options(secret_file=secret_file(folder)),
        signed=lambda body: received(body, workspace.signed_headers(body, SECRET)),
        bodies=[one.body for one in workspace.DAY],
    ),
}
"""By the name of the source; `desk` is of the tests."""


def altered(request: Received, **changed: object) -> Received:
    """Return a request of which something is not as it was signed."""
    return replace(request, **changed)
