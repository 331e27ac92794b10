"""A broker with topics, for the gateways of a module."""

import asyncio

import pytest

from tests.brokers import Broker
from tests.gateway.posting import create_topics


@pytest.fixture(scope="module")
def declared(own_broker: Broker) -> str:
    """The address of a broker that has the topics of all families."""
    asyncio.run(create_topics(own_broker.address))
    return own_broker.address
