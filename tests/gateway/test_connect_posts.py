"""Amazon Connect at the gateway itself: what Firehose sends is on the broker when it hears its answer."""

import gzip
import json
from pathlib import Path

from tests.gateway.posting import arrived, running_gateway
from tests.sources.amazon_connect.aws import KEY, Call, contact_events, contact_record, firehose

CALL = Call(contact="ann", queued="00:00", answered="00:10", ended="01:00")


def webhooks(folder: Path, tenant: str = "acme") -> Path:
    (folder / "connect.key").write_text(KEY, encoding="utf-8")
    path = folder / "webhooks.toml"
    path.write_text(f'[webhooks.connect]\nsource = "amazon-connect"\ntenant = "{tenant}"\nkey_file = "connect.key"\n')
    return path


async def test_a_compressed_delivery_and_an_event_are_on_the_broker_when_they_are_answered(
    declared: str, tmp_path: Path
) -> None:
    delivery = firehose(contact_record(CALL))
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", **delivery.headers}
    [_, queued, *_] = contact_events(CALL)
    async with running_gateway(declared, gateway_webhooks=webhooks(tmp_path)) as posts:
        path = "/v1/webhooks/connect"
        status, body, answered = await posts.raw(path, gzip.compress(delivery.body), headers)
        taken, empty, _ = await posts.raw(path, json.dumps(queued).encode(), {"X-API-Key": KEY})

    assert (status, answered["Content-Type"]) == (200, "application/json")
    assert json.loads(body)["requestId"] == delivery.headers["x-amz-firehose-request-id"]
    assert (taken, empty) == (204, b"")
    assert [type(event).__name__ for event in await arrived(declared, "acme")] == [
        "ContactEnqueued",
        "ContactAnswered",
        "ContactEnded",
        "ContactWrapupEnded",
        "ContactEnqueued",
    ]


async def test_a_delivery_with_another_key_gets_nowhere(declared: str, tmp_path: Path) -> None:
    delivery = firehose(contact_record(CALL))
    headers = {**delivery.headers, "x-amz-firehose-access-key": "guessed"}
    async with running_gateway(declared, gateway_webhooks=webhooks(tmp_path, "nobody")) as posts:
        status, _, _ = await posts.raw("/v1/webhooks/connect", delivery.body, headers)

    assert status == 401
    assert await arrived(declared, "nobody") == []
