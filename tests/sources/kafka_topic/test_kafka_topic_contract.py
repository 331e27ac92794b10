"""What every polled system must do, of topics on a broker that runs: the sources as the registry has them."""

import uuid
from collections.abc import Iterable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from msgspec.structs import replace

from scripts.apache_kafka.admin import admin_of
from stream.sources.intake import Intake
from stream.sources.registry import SOURCES
from stream.sources.source import Puller
from tests.brokers import Broker
from tests.sources.contract.kept import PolledSystem, begun
from tests.sources.contract.polled import POLLED
from tests.sources.contract.polled_contract import PolledContract
from tests.sources.mapped.examples import HOME_MADE

FILES = {"genesys-kafka": "", "mapped-topic": f'mapping = "{HOME_MADE}"'}
"""What the file about the topics says beside brokers and topics."""


class _ServedTopic:
    """A topic of one partition, since between partitions there is no order."""

    def __init__(self, name: str, folder: Path, address: str, topic: str) -> None:
        self._source, self._address, self._topic = SOURCES[name], address, topic
        self._file = folder / "topics.toml"
        self._file.write_text(f'brokers = ["{address}"]\ntopics = ["{topic}"]\n{FILES[name]}\n', encoding="utf-8")

    async def add(self, records: Iterable[bytes]) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self._address) as producer:
            for record in records:
                await producer.send(self._topic, record)

    def puller(self, intake: Intake) -> Puller:
        assert self._source.pull is not None
        return self._source.pull(self._source.options(file=self._file), intake)


class TestServedTopic(PolledContract):
    """Outages of a broker are tried in `test_kafka_topic_on_kafka.py`."""

    @pytest.fixture(params=FILES)
    async def system(self, request: pytest.FixtureRequest, broker: Broker) -> PolledSystem:
        name, topic = request.param, f"calls-{uuid.uuid4().hex[:8]}"
        async with admin_of(broker.address) as admin:
            await admin.create_topics([NewTopic(topic, 1, 1)])
        kept = begun(lambda folder: _ServedTopic(name, folder, broker.address, topic))
        return replace(POLLED[name], kept=kept)
