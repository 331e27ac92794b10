"""A group of toy workers of one's own."""

import uuid
from collections.abc import AsyncIterator

import pytest

from tests.brokers import Broker
from tests.runtime.cluster import Cluster


@pytest.fixture
async def cluster(broker: Broker) -> AsyncIterator[Cluster]:
    """Topics, a group and a producer that no other test uses."""
    async with Cluster(broker, uuid.uuid4().hex[:8]) as ours:
        yield ours
