"""What the page says can be done: its files are read as they stand there."""

import json
import re
from pathlib import Path
from typing import Final

import pytest

from stream.gateway.webhook_file import webhooks_of
from stream.sources.genesys_cloud.conversations import DETAIL_KINDS
from stream.sources.genesys_cloud.users import USER_KINDS
from stream.sources.genesys_kafka.source import topics_of
from tests.brokers import Broker
from tests.gateway.posting import arrived, create_topics, figures, running_gateway
from tests.sources.genesys_cloud.organization import DAY, KEY, NAMES, told, webhook_in

PAGE: Final = (Path(__file__).parents[3] / "docs/sources/genesys-cloud.md").read_text(encoding="utf-8")


def block(begins: str) -> str:
    """Return the block of TOML that begins so."""
    (found,) = [text for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if text.startswith(begins)]
    return str(found)


@pytest.fixture
def webhooks(tmp_path: Path) -> Path:
    (tmp_path / "genesys.key").write_text(KEY)
    (tmp_path / "queues.json").write_text(json.dumps(NAMES))
    (tmp_path / "webhooks.toml").write_text(block("# webhooks.toml"))
    return tmp_path / "webhooks.toml"


def test_its_file_of_webhooks_is_one(webhooks: Path) -> None:
    assert webhooks_of(webhooks).keys() == {"genesys"}


def test_its_file_of_topics_is_one(tmp_path: Path) -> None:
    (tmp_path / "genesys.password").write_text("hush")
    # No certificate of an authority is made here.
    (tmp_path / "genesys.toml").write_text(block("# genesys.toml").replace('ssl_ca_file = "genesys-ca.pem"\n', ""))

    told_there, foreign = topics_of(tmp_path / "genesys.toml")

    assert told_there.queues == {"9001": "Sales"}
    assert foreign.topics == ("voice-callthread", "voice-agentstate")


def test_it_names_every_topic_that_is_used() -> None:
    names = {kind.rpartition("}.")[2] for kind in {*DETAIL_KINDS, *USER_KINDS}} - {"customer.start"}  # of no figure

    assert not [name for name in names if f".{name}`" not in PAGE]


async def test_what_is_posted_to_the_gateway_is_on_the_broker(
    own_broker: Broker, webhooks: Path, tmp_path: Path
) -> None:
    await create_topics(own_broker.address)
    async with running_gateway(own_broker.address, gateway_webhooks=webhooks) as posts:
        headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
        answers = [await posts.raw("/v1/webhooks/genesys", json.dumps(part).encode(), headers) for part in DAY]
        refused, _, _ = await posts.raw("/v1/webhooks/genesys", json.dumps(DAY[0]).encode(), {"X-API-Key": "guessed"})
        shown = await figures(posts)

    assert ({status for status, _, _ in answers}, refused) == ({204}, 401)
    expected = {event.id for event in told(webhook_in(tmp_path), DAY)}
    assert {event.id for event in await arrived(own_broker.address, "acme")} == expected
    refusals = (("kind", "not_verified"), ("outcome", "refused"), ("source", "genesys"))
    assert shown["contact_source_inputs_total", refusals] == 1
