"""Systems that call a webhook: what each sends, in its order, signed as it signs. New ones stand beside their tests."""

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from stream.sources.amazon_connect import source as amazon_connect
from stream.sources.genesys_cloud import source as genesys_cloud
from stream.sources.mapped.source import MAPPED_WEBHOOK, MappedWebhookOptions
from stream.sources.source import Received
from stream.sources.twilio import source as twilio
from tests.sources.amazon_connect.aws import contact_events, contact_record, firehose
from tests.sources.amazon_connect.test_connect_golden import DAY as CALLS_OF_CONNECT
from tests.sources.chatwoot import caller as chatwoot
from tests.sources.contract.caller import SECRET, URL, Caller, received, secret_file
from tests.sources.freshdesk import caller as freshdesk
from tests.sources.genesys_cloud.organization import DAY, detail
from tests.sources.help_scout import caller as help_scout
from tests.sources.intercom import caller as intercom
from tests.sources.liveagent import caller as liveagent
from tests.sources.mapped.examples import HOME_MADE, PAYLOADS, RUMOUR, signed_headers
from tests.sources.new_sources import BEGIN, DESK, DeskOptions
from tests.sources.nicereply import account as nicereply
from tests.sources.segment import caller as segment
from tests.sources.shopify import caller as shopify
from tests.sources.stripe import caller as stripe
from tests.sources.typeform import caller as typeform
from tests.sources.woocommerce import caller as woocommerce
from tests.sources.zammad import caller as zammad
from tests.sources.zendesk import caller as zendesk

__all__ = ["CALLERS"]


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
        at=datetime(2026, 11, 20, 10, 11, tzinfo=UTC),
        figures="""
contact_window_offered{queue="sales",window="today"} 3
contact_window_answered{queue="sales",window="today"} 2
contact_window_abandoned{queue="sales",window="today"} 1
contact_window_offered{queue="support",window="today"} 2
contact_window_answered{queue="support",window="today"} 1
contact_window_abandoned{queue="support",window="today"} 0
contact_open_cases{queue="sales"} 0
contact_open_cases{queue="support"} 0
""",
        unknown=json.dumps(next(iter(contact_events(CALLS_OF_CONNECT[0]))) | {"detail-type": "Rumour"}).encode(),
    ),
    "desk": Caller(
        source=DESK,
        options=lambda _: DeskOptions(),
        signed=_desk,
        bodies=[b'{"call": "ann"}', b'{"call": "bob"}'],
        unknown=b'{"rumour": "eve"}',
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
        at=BEGIN + timedelta(minutes=1),
        figures="""
contact_window_offered{queue="sales",channel="task",window="today"} 1
contact_window_answered{queue="sales",channel="task",window="today"} 1
contact_open_cases{queue="sales"} 0
""",
        unknown=_streamed(4, "task.rumoured"),
    ),
    "genesys-cloud": Caller(
        source=genesys_cloud.SOURCE,
        options=lambda folder: genesys_cloud.Options(key_file=secret_file(folder)),
        signed=lambda body: received(body, {"x-api-key": SECRET, "content-type": "application/json"}),
        bodies=[json.dumps(part).encode() for part in DAY],
        at=datetime(2026, 11, 26, 13, 10, tzinfo=UTC),
        figures="""
contact_window_offered{queue="aaaaaaaa-0000-4000-8000-000000000001",window="today"} 4
contact_window_answered{queue="aaaaaaaa-0000-4000-8000-000000000001",window="today"} 2
contact_window_abandoned{queue="aaaaaaaa-0000-4000-8000-000000000001",window="today"} 1
contact_window_offered{queue="aaaaaaaa-0000-4000-8000-000000000002",window="today"} 2
contact_window_answered{queue="aaaaaaaa-0000-4000-8000-000000000002",window="today"} 1
""",
        unknown=json.dumps(detail("rumour", "00:10", "eve", "eve-q")).encode(),
    ),
    "typeform": typeform.CALLER,
    "mapped-webhook": Caller(
        source=MAPPED_WEBHOOK,
        options=lambda folder: MappedWebhookOptions(mapping=HOME_MADE, key_file=secret_file(folder)),
        signed=lambda body: received(body, signed_headers(body, SECRET, BEGIN)),
        bodies=PAYLOADS,
        at=BEGIN,
        figures="""
contact_window_offered{queue="orders",window="today"} 2
contact_window_answered{queue="orders",window="today"} 1
contact_window_abandoned{queue="orders",window="today"} 1
""",
        unknown=RUMOUR,
    ),
    "shopify": shopify.CALLER,
    "stripe": stripe.CALLER,
    "woocommerce": woocommerce.CALLER,
    "segment": segment.CALLER,
    "zendesk": zendesk.CALLER,
    "help-scout": help_scout.CALLER,
    "intercom": intercom.CALLER,
    "chatwoot": chatwoot.CALLER,
    "zammad": zammad.CALLER,
    "freshdesk": freshdesk.CALLER,
    "liveagent": liveagent.CALLER,
    "nicereply-webhook": nicereply.CALLER,
}
"""By the name of the source; `desk` is of the tests."""
