"""Days of four shops, posted to a gateway: what each is answered, what is on the broker, and what is nowhere."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

from stream.families.registry import DECODER
from tests.brokers import Broker
from tests.gateway.posting import PARTITIONS, create_topics, running_gateway
from tests.sources.segment import workspace
from tests.sources.shopify import shop_at_shopify
from tests.sources.shops.calling import SECRET, Posted, counted
from tests.sources.stripe import account_at_stripe
from tests.sources.woocommerce import shop_with_woocommerce


class PostedDay(Struct, frozen=True):
    """What a shop posts, how it signs that, what it is answered, and what its day counts by hand."""

    requests: Sequence[Posted]
    headers: Callable[[bytes, str], Mapping[str, str]]
    by_hand: dict[str, int]
    status: int = 204
    window: str = "today"


def signed_now(body: bytes, secret: str) -> dict[str, str]:
    return account_at_stripe.signed_headers(body, secret, datetime.now(UTC))


DAYS = {
    "shopify": PostedDay(shop_at_shopify.DAY, shop_at_shopify.signed_headers, shop_at_shopify.BY_HAND),
    "stripe": PostedDay(account_at_stripe.NOVEMBER, signed_now, account_at_stripe.BY_HAND, window="month"),
    "woocommerce": PostedDay(
        shop_with_woocommerce.DAY, shop_with_woocommerce.signed_headers, shop_with_woocommerce.BY_HAND, status=200
    ),
    "segment": PostedDay(workspace.DAY, workspace.signed_headers, workspace.BY_HAND),
}


@pytest.fixture
def webhooks(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "address.key").write_text("a key of the tests")
    files = 'secret_file = "secret"\naddress_key_file = "address.key"\n'
    tables = [f'[webhooks.{name}]\nsource = "{name}"\ntenant = "{name}"\n{files}' for name in DAYS]
    (tmp_path / "webhooks.toml").write_text("\n".join(tables))
    return tmp_path / "webhooks.toml"


async def records_on(address: str, topic: str, partitions: int) -> list[bytes]:
    """Return the values on a topic, as they lie there."""
    found: list[bytes] = []
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        # The end offset of the embedded broker lags behind within a batch: an empty fetch behind it is the end.
        more = True
        while more or any([await consumer.position(place) < ends[place] for place in places]):
            fetched: dict[Any, Any] = await consumer.getmany(timeout_ms=150)
            found += [record.value for records in fetched.values() for record in records]
            more = bool(fetched)
    finally:
        await consumer.stop()
    return found


async def test_what_is_posted_counts_what_was_computed_by_hand_and_nothing_personal_is_anywhere(
    own_broker: Broker, webhooks: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await create_topics(own_broker.address)
    async with running_gateway(own_broker.address, gateway_webhooks=webhooks) as posts:
        for name, day in DAYS.items():
            for one in [*day.requests, *reversed(day.requests)]:  # each is sent again, and late
                headers = dict(day.headers(one.body, SECRET))
                status, _, _ = await posts.raw(f"/v1/webhooks/{name}", one.body, headers)
                assert status == day.status
        unsigned, _, _ = await posts.raw("/v1/webhooks/woocommerce", shop_with_woocommerce.PING.body, {})
        forged, _, _ = await posts.raw("/v1/webhooks/woocommerce", b"{}", {})
        _, metrics = await posts.get("/metrics")
    records = await records_on(own_broker.address, "customers", PARTITIONS)
    letters = await records_on(own_broker.address, "dead-letters", 1)

    assert (unsigned, forged) == (200, 401)
    events = [DECODER.decode(record) for record in records]
    for name, day in DAYS.items():
        assert counted([one for one in events if one.tenantid == name], window=day.window) == day.by_hand
    everywhere = b"".join([*records, *letters]).decode() + metrics + caplog.text
    assert "arked" not in everywhere
    assert letters == []
