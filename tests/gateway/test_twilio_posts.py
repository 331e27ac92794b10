"""Twilio calls a gateway behind a proxy: what it signed arrives; what is of long ago, or for elsewhere, does not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from stream.sources.source import Received
from tests.gateway.posting import Posts, arrived, figures, running_gateway
from tests.sources.twilio.workspace import FORM, TOKEN, Story, signed

PUBLIC = "https://calls.example.org/in"
PATH = "/v1/webhooks/twilio"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "auth.token").write_text(f"{TOKEN}\n")
    path = tmp_path / "webhooks.toml"
    path.write_text(
        '[webhooks.twilio]\nsource = "twilio"\ntoken_file = "auth.token"\n'
        'channels = { fax = "email" }\n'
        'activities = { Lunch = "not_ready" }\ncanceled_reasons = { left = "abandoned" }\n'
    )
    return path


def callback(happened: datetime, address: str = PUBLIC) -> Received:
    fields = Story("0 task-queue.entered ann TaskQueueName=sales TaskChannelUniqueName=fax").callbacks[0]
    body = urlencode({**fields, "TimestampMs": str(int(happened.timestamp() * 1000))}).encode()
    return signed(body, FORM, at=happened, url=address + PATH)


async def status_of(posts: Posts, request: Received) -> int:
    status, body, _ = await posts.raw(PATH, request.body, request.headers)
    assert body == b""
    return status


async def test_a_callback_is_on_the_broker_when_it_is_answered_and_once_however_often_it_comes(
    declared: str, file: Path
) -> None:
    now = datetime.now(UTC)
    async with running_gateway(declared, gateway_webhooks=file, gateway_public_url=PUBLIC) as posts:
        assert [await status_of(posts, callback(now)) for _ in range(2)] == [204, 204]
        assert await status_of(posts, callback(now - timedelta(minutes=6))) == 204
        assert await status_of(posts, callback(now, address=posts.address)) == 401
        shown = await figures(posts)

    events = await arrived(declared, "default")
    assert {(event.id[-16:], event.data.channel) for event in events} == {("contact.enqueued", "email")}
    assert len({event.id for event in events}) == 1
    counted = {
        dict(labels)["kind"]: number
        for (name, labels), number in shown.items()
        if name == "contact_source_inputs_total"
    }
    assert counted == {"task-queue.entered": 2, "stale": 1, "not_verified": 1}
    assert TOKEN not in str(shown)
